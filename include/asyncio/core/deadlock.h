#pragma once

#include <asyncio/core/task.h>
#include <asyncio/errors/exceptions.h>

#include <string>
#include <vector>

namespace asyncio {

/// What leaves `run()` when its tasks wait and nothing can ever let one of them go on, if `on_deadlock` is
/// `OnDeadlock::raise`. Its text says who waits for whom. Python: has none, and waits for ever.
class DeadlockError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

/// Tasks that can never go on by themselves.
struct Deadlock {
    std::vector<AnyTask> tasks;  ///< each waits for the next, and the last for the first; or a single one
    /// `'A' waits for <Lock … locked by 'B'> at file:line, taken at file:line; …`, without a line's end.
    std::string text;
};

/// The tasks of a loop that can never go on by themselves, also while others run: those that wait for each other in a
/// circle, each of which is named once, and those whose Lock, Event, Queue or the like has died. A wait with a timeout
/// of its own is no such wait, and neither is one that a `timeout()` will end. A cancellation can still end any of
/// them, and so can whoever ends by hand the future that `shield()` has returned.
///
/// In the thread of the loop. Python: has none.
std::vector<Deadlock> find_deadlocks(EventLoop& loop);
/// Those of the running loop.
std::vector<Deadlock> find_deadlocks();

}  // namespace asyncio
