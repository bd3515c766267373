#include <asyncio/tasks/ensure_future.h>

#include "loop/loop_core.h"

#include <cstdint>

namespace asyncio::detail {

FutureBase& checked_future(const AnyFuture& handle) {
    if (!handle) throw_empty_handle();
    return *handle.state_or_null();
}

Ref<FutureBase> checked_future(LoopCore& loop, const AnyFuture& handle) {
    FutureBase& future = checked_future(handle);
    if (&future.loop() != &loop) {
        throw ValueError("The future belongs to a different loop than the one specified as the loop argument");
    }
    loop.check_thread();
    return Ref<FutureBase>(&future);
}

LoopCore& running_loop_or_that_of(const AnyFuture& handle) {
    LoopCore* running = running_core_or_null();
    return running != nullptr ? *running : checked_future(handle).loop();
}

bool DistinctFutures::add(const FutureBase& future) {
    if (count_ * 2 >= table_.size()) {
        std::vector<const FutureBase*> old(table_.empty() ? 16 : table_.size() * 2, nullptr);
        old.swap(table_);
        for (const FutureBase* known : old) {
            if (known != nullptr) insert(known);
        }
    }
    if (!insert(&future)) return false;
    ++count_;
    return true;
}

bool DistinctFutures::insert(const FutureBase* future) noexcept {
    std::size_t mask = table_.size() - 1;
    auto at = static_cast<std::size_t>(
                  (std::uint64_t{reinterpret_cast<std::uintptr_t>(future)} >> 4) * 0x9E3779B97F4A7C15U >> 20) &
              mask;
    for (; table_[at] != nullptr; at = (at + 1) & mask) {
        if (table_[at] == future) return false;
    }
    table_[at] = future;
    return true;
}

}  // namespace asyncio::detail
