#include "loop/poll_budget.h"

#include <algorithm>

namespace asyncio::detail {

void PollBudget::renew(TimePoint now) noexcept {
    if (every_pass_) {
        left_ = 1;
        return;
    }
    std::int64_t elapsed = (now.nanoseconds() - last_.nanoseconds());
    std::int64_t spent = std::max(1, size_ - left_);
    std::int64_t fitting = spent * nanoseconds_between_polls / std::max<std::int64_t>(elapsed, 1);
    size_ = static_cast<int>(std::clamp<std::int64_t>(fitting, 1, std::min(most, size_ * 2)));
    left_ = size_;
    last_ = now;
}

}  // namespace asyncio::detail
