#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/executor.h>
#include <asyncio/loop/outside_call.h>

#include <memory>
#include <utility>

namespace asyncio::detail {

/// What goes on outside a loop and will call back: calls on threads, operations of other libraries.
class OutsideWork {
public:
    explicit OutsideWork(Executor* executor) noexcept : executor_(executor) {}

    void begins() noexcept { ++count_; }
    void ends() noexcept { --count_; }
    /// Whether some of it will go on by itself.
    bool goes_on() noexcept;
    bool is_untouched() const noexcept { return calls.empty() && count_ == 0 && executor_ == nullptr; }
    /// Nobody will look at the outcome of the calls.
    void detach_calls() noexcept {
        while (!calls.empty()) calls.front().detach();
    }

    /// Makes it if need be; throws RuntimeError when it was shut down.
    Executor& default_executor();
    /// The same, or null if there is none yet.
    Executor* executor_or_null() const noexcept { return executor_; }
    void set_default_executor(Executor& executor) noexcept { executor_ = &executor; }
    /// The loop's own one, which a thread may join when the loop is gone; null if it has another.
    const std::shared_ptr<ThreadPoolExecutor>& own_executor() const noexcept { return own_executor_; }
    void refuse_calls() noexcept { refuses_calls_ = true; }
    /// Lets the threads end by themselves.
    void close_executor() noexcept {
        refuses_calls_ = true;
        if (Executor* former = std::exchange(executor_, nullptr)) former->shutdown(false);
    }
    void drop_own_executor() noexcept { own_executor_.reset(); }

    IntrusiveList<OutsideCall, OutsideCalls> calls;

private:
    int count_ = 0;
    bool refuses_calls_ = false;
    Executor* executor_;
    std::shared_ptr<ThreadPoolExecutor> own_executor_;
};

}  // namespace asyncio::detail
