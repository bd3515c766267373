#include <asyncio/loop/outside_call.h>

#include "loop/loop_core.h"

#include <utility>

namespace asyncio::detail {

bool OutsideCall::has_begun() const noexcept { return __atomic_load_n(&begun_, __ATOMIC_RELAXED); }
bool OutsideCall::is_blocked() const noexcept { return __atomic_load_n(&blocked_, __ATOMIC_RELAXED); }

void OutsideCall::set_blocked(bool blocked) noexcept {
    __atomic_store_n(&blocked_, blocked, __ATOMIC_RELAXED);
    if (blocked) inbox_->wake();
}

void OutsideCall::join(LoopCore& loop, Executor* executor, bool counted) {
    executor_ = executor;
    loop_ = &loop;
    loop.outside().calls.push_back(*this);
    counted_ = counted;
    if (counted) loop.outside().begins();
}

void OutsideCall::begin() noexcept { __atomic_store_n(&begun_, true, __ATOMIC_RELAXED); }

void OutsideCall::set_counted(bool counted) noexcept {
    if (!counted) return stop_counting();
    if (!std::exchange(counted_, true)) loop_->outside().begins();
}

void OutsideCall::stop_counting() noexcept {
    if (std::exchange(counted_, false)) loop_->outside().ends();
}

void OutsideCall::leave() noexcept {
    ListHook<OutsideCalls>::unlink();
    stop_counting();
}

}  // namespace asyncio::detail
