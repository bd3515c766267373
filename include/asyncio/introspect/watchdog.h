#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/detail/option_callable.h>
#include <asyncio/loop/seconds.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace asyncio {

/// A step that holds its loop, while it does. No name in Python.
struct Stall {
    Seconds so_far = Seconds(0);            ///< since the step began
    std::string task;                       ///< the task's name; empty: a callback
    std::string coroutine;                  ///< of that task, and where it is defined: `work() at shop.cpp:31`
    std::vector<std::string> native_stack;  ///< where the thread stands, innermost first; empty if it did not answer
};

/// `Task 'rude' in rude() at shop.cpp:31 has held its loop for 0.250 seconds`, and a line for each frame of the native
/// stack, as `addr2line` wants them.
std::string str(const Stall& stall);

/// Whom a StallWatchdog tells of a stall: a callable, of which it makes a copy. One whose captures have a destructor
/// has to be a variable. No name in Python.
class StallReport {
public:
    constexpr StallReport() noexcept = default;
    template <class F>
    requires std::is_invocable_v < std::decay_t<F>
    &, const Stall& > StallReport(F&& report) : report_(static_cast<F&&>(report)) {}
    /// For the library: empty where none was given.
    std::function<void(const Stall&)> copy() const { return report_.copy(); }

private:
    detail::OptionCallable<void(const Stall&)> report_;
};

/// The keyword arguments of a StallWatchdog. No name in Python.
struct WatchdogOptions {
    Seconds threshold =
        Seconds(0.1);  ///< how long a step may take: no more than that and a quarter of it passes unseen
    /// Is told of a stall, in the watchdog's thread, and again each time when it is twice as long. It must not throw,
    /// nor touch the loop but by `call_soon_threadsafe()`. None: `str(stall)` is logged, as a warning.
    StallReport report = {};
    bool native_stack = true;  ///< whether the thread is asked where it stands
    int signal = 0;  ///< by which signal; 0: SIGURG, which means nothing to a program that does not ask for it
};

/// Watches a loop from a thread of its own as long as it lives, and tells of a step that holds the loop *while* it
/// does: debug mode tells of it afterwards, and of one that never ends not at all.
///
/// Made and destroyed in the loop's thread, which runs the loop. It costs a look at the clock and a copy of the task's
/// name for each step. In a forked child it is silent. No name in Python.
class StallWatchdog {
public:
    /// Of the running loop; RuntimeError when none runs, or when the signal has a handler already. ValueError for a
    /// threshold that is not positive. OSError if there can be no thread, or is no such signal.
    explicit StallWatchdog(WatchdogOptions options = {});
    ~StallWatchdog();
    StallWatchdog(const StallWatchdog&) = delete;
    StallWatchdog& operator=(const StallWatchdog&) = delete;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace asyncio
