#pragma once

#include "detail/fork_aware.h"
#include "os/descriptor_lines.h"
#include "os/epoll_queue.h"
#include "os/wake_up.h"

#include <asyncio/detail/pool.h>

#include <cstdint>

namespace asyncio::detail {

/// Tries at once, and waits with epoll only when it must.
///
/// A descriptor with operations is registered once, edge-triggered, and remembered as ready or not: an edge makes it
/// ready; a call that would have to wait, and a receive that took all there was, make it unready. One that is watched,
/// by add_reader() and the like, is registered level-triggered for as long as that lasts.
///
/// A number that was closed and given out again is told by its serial number, which each event carries as well.
///
/// Nothing is opened before it is needed, by the first descriptor to wait for or the first sleep. If that fails
/// (EMFILE), the operation ends with the error, or `watch()` or `wait()` throws it; no wake-up is lost, and the next
/// need tries again.
///
/// Python: selectors.EpollSelector and the loop's self-pipe.
class EpollBackend final : public IoBackend, private ForkAware, public Pooled {
public:
    using Precision = EpollQueue::Precision;

    explicit EpollBackend(Precision best = Precision::nanoseconds) noexcept;
    ~EpollBackend() override;
    EpollBackend(const EpollBackend&) = delete;
    EpollBackend& operator=(const EpollBackend&) = delete;

    std::string_view name() const noexcept override { return "epoll"; }
    bool submit(IoOperation& operation) noexcept override;
    bool collect(IoOperation& operation) noexcept override;
    void cancel(IoOperation& operation) noexcept override;
    void closing(IoDescriptor descriptor) noexcept override;
    /// Throws OSError; ValueError for a negative descriptor. After an error `fd` is not watched.
    void watch(int fd, bool readable, bool writable) override;
    /// What was handed over before a `wake()` that ended this wait is visible after it.
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override;
    void wake() noexcept override { wake_up_.wake(); }

    Precision precision() const noexcept { return queue_.precision(); }

private:
    struct Descriptor : Pooled {
        // In this order, and with what would be padding in use, it takes 48 bytes.
        [[no_unique_address]] DescriptorLine reading;
        std::uint32_t serial = 0;
        [[no_unique_address]] DescriptorLine writing;
        std::uint8_t watched = 0;      // EPOLLIN | EPOLLOUT
        bool read_to_end = false;      // an end, an error or urgent data: no receive is known to have taken all
        std::uint32_t registered = 0;  // what the kernel was told, zero for nothing
        DescriptorLine& direction(IoCall call) noexcept { return is_for_writing(call) ? writing : reading; }
    };

    static std::uint32_t wanted(Descriptor& descriptor) noexcept;
    bool park(IoOperation& operation) noexcept;
    static bool must_be_told_again(const IoOperation& operation, const DescriptorLine& direction) noexcept;
    bool adopt(IoDescriptor which, Descriptor& descriptor) noexcept;
    bool arm(int fd, Descriptor& descriptor, bool again = false) noexcept;
    bool set_registered(int fd, Descriptor& descriptor, int operation, std::uint32_t events) noexcept;
    void forget(int fd, Descriptor& descriptor) noexcept;
    void abandon(Descriptor& descriptor) noexcept;
    void note_outcome(const IoOperation& operation, Descriptor& descriptor) noexcept;
    void note_event(const epoll_event& event, std::vector<IoEvent>& events) noexcept;
    void have_told_again(const epoll_event& event) noexcept;
    int open() noexcept;
    int open_descriptors() noexcept;
    void start_anew() noexcept;
    void register_all() noexcept;
    void after_fork_in_child() noexcept override;

    WakeUp wake_up_;
    EpollQueue queue_;
    bool follows_forks_ = false;
    bool must_register_all_ = false;  // with an epoll that is not open yet
    std::size_t registered_ = 0;
    int stale_events_ = 0;  // in a row
    DescriptorTable<Descriptor> table_;
    Reports reports_;
};

}  // namespace asyncio::detail
