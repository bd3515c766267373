#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include <liburing.h>

namespace asyncio::detail {

/// An io_uring, and buffers of ours in which the kernel may put what it receives.
class UringRing {
public:
    /// Whether this kernel has all that is used here, and lets us: tried out, once.
    static bool is_usable() noexcept;

    UringRing();  ///< throws OSError
    /// Nothing may be under way.
    ~UringRing();
    UringRing(const UringRing&) = delete;
    UringRing& operator=(const UringRing&) = delete;

    // Each fills in an entry, and submits those that are filled in already if there is no room. False if the kernel
    // does not take them now.
    /// A receive that goes on by itself, into our buffers.
    bool receive_all(int fd, std::uint64_t user_data) noexcept;
    bool accept_all(int fd, std::uint64_t user_data) noexcept;
    bool poll(int fd, unsigned events, std::uint64_t user_data) noexcept;
    /// Its completion has the user_data zero.
    bool cancel(std::uint64_t user_data) noexcept;
    bool cancel_everything() noexcept;

    /// Hands over what was filled in, now.
    void submit() noexcept;
    /// Hands over what was filled in, and waits for a completion (no timeout: for ever). Zero only looks, without a
    /// system call if there is nothing to hand over and nothing that the kernel has to be asked for. Returns an errno.
    int enter(std::optional<std::chrono::nanoseconds> timeout) noexcept;
    /// Without a system call of io_uring: until a completion comes, or `also` is readable, or the time is over.
    void wait_without_asking(std::chrono::nanoseconds timeout, int also) const noexcept;
    /// The kernel does not end what it was asked for: the buffers stay where they are when the ring goes.
    void leave_buffers() noexcept { leaves_buffers_ = true; }
    /// In a forked child: leaves the parent's ring alone. Then only the buffers may be looked at.
    void after_fork() noexcept;
    /// Calls `function(completion)` for each that is there. False: there was one that `may_take(completion)` left
    /// there.
    template <class Condition, class Function>
    bool take_completions(Condition may_take, Function function) {
        io_uring_cqe* completion = nullptr;
        while (io_uring_peek_cqe(&ring_, &completion) == 0) {
            io_uring_cqe copy = *completion;
            if (!may_take(copy)) return false;
            io_uring_cqe_seen(&ring_, completion);
            function(copy);
        }
        return true;
    }
    template <class Function>
    void take_completions(Function function) {
        take_completions([](const io_uring_cqe&) { return true; }, function);
    }

    static constexpr unsigned buffer_count = 1024;
    static constexpr std::size_t buffer_size = 4096;
    const char* buffer(unsigned id) const noexcept { return buffers_ + id * buffer_size; }
    /// The kernel may use it again.
    void give_back(unsigned id) noexcept;

private:
    io_uring_sqe* new_entry() noexcept;

    io_uring ring_ = {};
    io_uring_buf_ring* buffer_ring_ = nullptr;
    char* buffers_ = nullptr;
    bool leaves_buffers_ = false;
};

}  // namespace asyncio::detail
