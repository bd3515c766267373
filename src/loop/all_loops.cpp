#include "loop/all_loops.h"

#include "loop/loop_core.h"

namespace asyncio::detail {

constinit AllLoops all_loops;

LoopCore* AllLoops::next(const LoopCore& loop, const NoFork&) noexcept { return loop.next_loop_; }
LoopCore* AllLoops::next_of_standing(const LoopCore& loop) noexcept { return loop.next_loop_; }

void AllLoops::add(LoopCore& loop, const NoFork&) noexcept {
    loop.next_loop_ = first_;
    if (first_ != nullptr) first_->previous_loop_ = &loop;
    first_ = &loop;
}

void AllLoops::remove(LoopCore& loop, const NoFork&) noexcept {
    (loop.previous_loop_ != nullptr ? loop.previous_loop_->next_loop_ : first_) = loop.next_loop_;
    if (loop.next_loop_ != nullptr) loop.next_loop_->previous_loop_ = loop.previous_loop_;
}

}  // namespace asyncio::detail
