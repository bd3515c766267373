#pragma once

namespace asyncio::detail {

/// Who answers a signal without the help of any loop.
struct SignalAnswer {
    /// On a thread of its own, for each time that the signal came. Must not throw.
    void (*tell)() noexcept;
    /// In a handler of the signal, on the thread that `ask_thread()` has named, or in a forked child, where that thread
    /// is not: only what is safe there.
    void (*tell_here)() noexcept;
};

/// From now on, to the end of the process. Throws ValueError, RuntimeError if it cannot be caught, or OSError.
void answer_signal(int signum, const SignalAnswer& answer);
/// Lets `tell_here` run on that thread, and waits for it. False: it does not take the signal, or has ended. Only in
/// `tell`.
bool ask_thread(int thread) noexcept;

/// For handlers of signals: what lies there may be anything, or nothing. False: it cannot be read.
bool read_safely(const void* from, void* to, unsigned long size) noexcept;
/// For handlers of signals: writes to the standard error output.
void write_to_stderr(const char* text, unsigned long size) noexcept;

}  // namespace asyncio::detail
