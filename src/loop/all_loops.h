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

private:
    friend struct InspectLayout;
    LoopCore* first_ = nullptr;

public:
    ObjectName* first_name = nullptr;  // src/core/object_names.h; behind the loops, for who reads from outside
};

extern constinit AllLoops all_loops;

}  // namespace asyncio::detail
