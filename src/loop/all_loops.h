#pragma once

#include "detail/fork_aware.h"

namespace asyncio::detail {

class LoopCore;
class ObjectName;

/// Every loop of the process, of whatever thread, the newest first. Who reads the process from outside begins here, by
/// the name `asyncio::detail::all_loops`; who is inside holds a NoFork, and then no loop begins or ends meanwhile.
class AllLoops {
public:
    LoopCore* first(const NoFork&) const noexcept { return first_; }
    static LoopCore* next(const LoopCore& loop, const NoFork&) noexcept;

    /// The same for a debugger, while all threads stand still, perhaps inside of a NoFork.
    LoopCore* first_of_standing() const noexcept { return first_; }
    static LoopCore* next_of_standing(const LoopCore& loop) noexcept;

    void add(LoopCore& loop, const NoFork&) noexcept;
    void remove(LoopCore& loop, const NoFork&) noexcept;

    /// The newest name of a lock, a queue or the like: src/core/object_names.h, whose lock they need.
    ObjectName* first_name() const noexcept { return first_name_; }
    void set_first_name(ObjectName* name) noexcept { first_name_ = name; }

private:
    friend struct InspectLayout;
    LoopCore* first_ = nullptr;
    ObjectName* first_name_ = nullptr;
};

extern constinit AllLoops all_loops;

}  // namespace asyncio::detail
