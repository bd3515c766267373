#pragma once

#include <asyncio/core/scheduling.h>
#include <asyncio/detail/ref.h>

namespace asyncio::detail {

/// The door through which other threads reach a loop. Outlives the loop, for those who knock too late.
class Inbox {
public:
    void inc_ref() noexcept;
    void dec_ref() noexcept;

    /// Queues the node on the loop, behind all that are ready, and wakes the loop if it may sleep. From the loop's own
    /// thread that is what `schedule()` does. False when the loop is closed: then nothing happens to the node.
    bool post(ReadyNode& node) noexcept;

private:
    friend class LoopCore;
    struct State;
    Inbox();
    ~Inbox();
    State* state_;
    unsigned references_ = 1;
};

Ref<Inbox> inbox_of(LoopCore& loop) noexcept;

}  // namespace asyncio::detail
