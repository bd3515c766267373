#include "loop/outside_work.h"

#include <asyncio/errors/exceptions.h>

namespace asyncio::detail {

bool OutsideWork::goes_on() noexcept {
    // A thread that waits for this loop does nothing by itself, nor does a call for which no thread is left then.
    int count = count_;
    const Executor* looked_at = nullptr;
    bool is_stuck = false;
    for (OutsideCall& call : calls) {
        if (count <= 0) break;
        if (!call.is_counted()) continue;
        if (call.is_blocked()) {
            --count;
        } else if (call.is_in_executor()) {
            if (call.executor() != looked_at) {
                looked_at = call.executor();
                std::size_t blocked = 0;
                for (OutsideCall& other : calls) blocked += other.executor() == looked_at && other.is_blocked();
                is_stuck = blocked >= looked_at->concurrency();
            }
            if (is_stuck) --count;
        }
    }
    return count > 0;
}

Executor& OutsideWork::default_executor() {
    if (refuses_calls_) throw RuntimeError("Executor shutdown has been called");
    if (executor_ == nullptr) {
        own_executor_ = std::make_shared<ThreadPoolExecutor>();
        executor_ = own_executor_.get();
    }
    return *executor_;
}

}  // namespace asyncio::detail
