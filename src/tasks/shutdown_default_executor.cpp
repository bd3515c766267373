#include "core/loop_core.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/log.h>
#include <asyncio/core/repr.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace asyncio {

namespace {

/// Gives every job a thread of its own, that nobody waits for.
class HelperThreads final : public Executor {
public:
    void submit(ExecutorJob& job) override {
        std::thread([&job] { job.run(); }).detach();
    }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {}
};

/// Waits for an executor's threads, on a thread of its own since that may take for ever. The time limit is one of real
/// time, whatever the loop's clock: the threads that it is for know no other.
class Joining {
public:
    explicit Joining(Executor& executor, std::shared_ptr<ThreadPoolExecutor> owner)
        : executor_(executor), owner_(std::move(owner)) {}

    /// On the executor's own account: runs to its end, however late.
    void join() noexcept {
        std::exception_ptr failure;
        try {
            executor_.shutdown(true);
        } catch (...) {
            failure = std::current_exception();
        }
        std::lock_guard lock(mutex_);
        failure_ = std::move(failure);
        joined_ = true;
        changed_.notify_all();
    }

    /// Whether they have ended in time. Throws what shutdown() threw.
    bool wait(std::optional<Seconds> timeout) {
        std::unique_lock lock(mutex_);
        auto is_joined = [this] { return joined_; };
        if (timeout && timeout->count() < 1e9) {
            std::chrono::nanoseconds limit(static_cast<std::int64_t>(std::max(0.0, timeout->count()) * 1e9));
            changed_.wait_for(lock, limit, is_joined);
        } else {
            changed_.wait(lock, is_joined);
        }
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        return joined_;
    }

private:
    Executor& executor_;
    std::shared_ptr<ThreadPoolExecutor> owner_;  // keeps the loop's own executor as long as it is joined
    std::mutex mutex_;
    std::condition_variable changed_;
    bool joined_ = false;
    std::exception_ptr failure_;
};

bool join_within(std::shared_ptr<Joining> joining, std::optional<Seconds> timeout) {
    if (!timeout) {
        joining->join();
    } else {
        std::thread([joining] { joining->join(); }).detach();
    }
    return joining->wait(timeout);
}

std::string late_warning(detail::LoopCore& loop, const Executor& executor, Seconds timeout) {
    std::string seconds = detail::repr_of_double(timeout.count());
    if (seconds.ends_with(".0")) seconds.resize(seconds.size() - 2);
    std::string text = "The executor did not finishing joining its threads within " + seconds + " seconds.";
    const char* separator = " Still running: ";
    for (detail::ExecutorCall& call : loop.pending_calls) {
        if (call.executor() != &executor || !call.has_begun()) continue;
        text += separator + detail::type_text(call.callable_type());
        separator = ", ";
    }
    return text;
}

}  // namespace

Coro<> EventLoop::shutdown_default_executor(std::optional<Seconds> timeout) {
    detail::LoopCore& loop = *core_;
    loop.executor_shutdown_called = true;
    Executor* executor = loop.executor;
    if (executor == nullptr) co_return;
    static HelperThreads helper_threads;
    auto joining = std::make_shared<Joining>(*executor, loop.own_executor);
    Future<bool> joined = run_in_executor(&helper_threads, join_within, std::move(joining), timeout);
    bool in_time = co_await joined;
    if (in_time) co_return;
    detail::log(LogLevel::warning, late_warning(loop, *executor, *timeout));
    executor->shutdown(false);
}

}  // namespace asyncio
