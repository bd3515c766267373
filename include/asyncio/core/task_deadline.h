#pragma once

#include <asyncio/core/task_base.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/scheduling.h>

#include <source_location>

namespace asyncio::detail {

struct InspectLayout;

namespace bases {

/// A timer that cancels a task: what a Timeout is made of. Whoever looks for tasks that can never go on has to know
/// that those which have one can.
class TaskDeadline : public TimerNode {
public:
    /// Whom this node will cancel, if it is one; else null.
    static TaskBase* task_of(ReadyNode& node) noexcept {
        return node.run_function() == &expire ? static_cast<TaskDeadline&>(node).task_.get() : nullptr;
    }

protected:
    friend struct detail::InspectLayout;
    enum class State : std::uint8_t { created, active, expiring, expired, finished };

    explicit TaskDeadline(std::source_location where) noexcept : TimerNode(&expire), where_(where) {}
    ~TaskDeadline() = default;

    Ref<TaskBase> task_;          // who entered it
    std::source_location where_;  // who asks for the cancellation
    int cancelling_ = 0;          // the requests to cancel that the task had before
    State state_ = State::created;

private:
    static void expire(ReadyNode& node);
};

}  // namespace bases
using bases::TaskDeadline;

}  // namespace asyncio::detail
