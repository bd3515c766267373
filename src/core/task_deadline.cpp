#include <asyncio/core/task_deadline.h>

namespace asyncio::detail {

void TaskDeadline::expire(ReadyNode& node) {
    auto& deadline = static_cast<TaskDeadline&>(node);
    deadline.state_ = State::expiring;
    deadline.task_->cancel(make_cancel_request(std::nullopt, {}, deadline.where_));
}

}  // namespace asyncio::detail
