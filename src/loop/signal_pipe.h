#pragma once

#include "detail/fork_aware.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace asyncio::detail {

/// Turns signals into readable bytes: a loop watches `fd()` and calls `drain()` when it is
/// readable.
///
/// The last of several pipes to add a signal gets it; the others no longer own it, and removing it
/// there does nothing. A forked child has a pipe of its own under the same numbers.
///
/// Python: the loop's self-pipe with signal.set_wakeup_fd().
class SignalPipe final : private ForkAware {
public:
    SignalPipe();
    /// Gives all its signals back, from whichever thread.
    ~SignalPipe();
    SignalPipe(const SignalPipe&) = delete;
    SignalPipe& operator=(const SignalPipe&) = delete;

    /// The end to watch for reading.
    int fd() const noexcept { return read_fd_; }

    /// From now on the signal arrives here. Throws ValueError for what is no signal, RuntimeError
    /// outside the main thread and for a signal that cannot be caught.
    void add(int signum);
    /// Gives the signal back to whom it belonged when it was added; someone else's handler that was
    /// installed meanwhile stays. False if it is not this pipe's. Throws ValueError as `add()`
    /// does.
    bool remove(int signum);
    bool owns(int signum) const noexcept;
    /// Throws ValueError for what is no signal.
    static void check(int signum);
    /// A bit for each (the lowest is signal 1): those that arrive at some pipe and were ignored before. For a child
    /// that is to find what its parent's parent has left.
    static std::uint64_t signals_ignored_by_the_program() noexcept;

    /// Calls back with each signal's number, in the order of their arrival.
    template <class Callback>
    void drain(Callback&& callback) {
        std::array<unsigned char, 128> numbers;
        while (std::size_t count = read(numbers)) {
            for (std::size_t i = 0; i < count; ++i) callback(int{numbers[i]});
        }
    }

private:
    std::size_t read(std::span<unsigned char> numbers) noexcept;
    void after_fork_in_child() noexcept override;

    int read_fd_ = -1;
    int write_fd_ = -1;
};

}  // namespace asyncio::detail
