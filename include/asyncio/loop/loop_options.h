#pragma once

#include <asyncio/loop/clock.h>
#include <asyncio/loop/executor.h>
#include <asyncio/loop/io_backend.h>
#include <asyncio/loop/seconds.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace asyncio {

/// Decides which of the callbacks that are ready runs next. Python's order, and the default, is first in first out;
/// a test can try others. Give a loop one of your own by `LoopOptions::ready_order`.
class ReadyOrder {
public:
    virtual ~ReadyOrder() = default;
    /// Which of the `count` callbacks left in this pass, in the order they came, runs next: 0 to count - 1.
    virtual std::size_t choose(std::size_t count) = 0;
};

/// What a loop does when its tasks wait, and nothing in the process can ever let one of them go on: nothing is ready,
/// no timer runs, nothing is waited for from outside, no signal is handled, no other thread is there; but for the
/// library's own while they are idle.
enum class OnDeadlock : std::uint8_t {
    report,  ///< says so on the log, once, with who waits for whom; then waits for ever, as Python does
    raise,   ///< throws DeadlockError, of `<asyncio/introspect.h>`, out of `run()`, which first ends the tasks
    ignore,  ///< waits for ever
};

/// The parts of an event loop that can be replaced. What is pointed to must outlive the loop.
/// Python: subclasses of BaseEventLoop.
struct LoopOptions {
    ClockOption clock = {};
    IoBackendOption io_backend = {};    ///< which of the library's, or one of yours
    ReadyOrder* ready_order = nullptr;  ///< null: first in, first out
    Executor* executor = nullptr;       ///< the default executor; null: a ThreadPoolExecutor, made when it is needed
    /// For how long, before it sleeps, it stays awake and watches for what other threads hand to it, as long as that is
    /// enough: being woken takes ten times as long. Zero: not at all.
    Seconds patience = std::chrono::microseconds(10);
    OnDeadlock on_deadlock = OnDeadlock::report;
};

}  // namespace asyncio
