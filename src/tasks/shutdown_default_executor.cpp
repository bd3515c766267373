#include "core/meant_future.h"
#include "detail/fork_aware.h"
#include "loop/loop_core.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/repr.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

namespace asyncio {

namespace {

/// Waits for an executor's threads, on a thread of its own since that may take for ever. The time limit is one of real
/// time, whatever the loop's clock: the threads that it is for know no other.
class Joining {
public:
    explicit Joining(Executor& executor, std::shared_ptr<ThreadPoolExecutor> owner)
        : executor_(executor), owner_(std::move(owner)) {}
    ~Joining() {
        if (helper.joinable()) helper.detach();  // nobody waited to the end
    }

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

    /// In a forked child, which does not have that thread.
    void forget_helper() noexcept { static_cast<void>(new (&helper) std::thread); }

    std::thread helper;  // the loop's thread only

private:
    Executor& executor_;
    std::shared_ptr<ThreadPoolExecutor> owner_;  // keeps the loop's own executor as long as it is joined
    std::mutex mutex_;
    std::condition_variable changed_;
    bool joined_ = false;
    std::exception_ptr failure_;
};

/// Has the waiting done by a thread of its own, which whoever got the outcome can join.
class JoiningCall final : public detail::ExecutorCall, private Executor {
public:
    JoiningCall(std::shared_ptr<Joining> joining, std::optional<Seconds> timeout)
        : joining_(std::move(joining)), timeout_(timeout) {}
    void start(detail::LoopCore& loop, detail::Ref<detail::FutureBase> future) {
        ExecutorCall::submit(loop, static_cast<Executor*>(this), std::move(future));
    }
    const std::type_info& callable_type() const noexcept override { return typeid(Joining); }

private:
    void call() override { in_time_ = timeout_ ? join_within(*timeout_) : (joining_->join(), joining_->wait({})); }
    bool join_within(Seconds timeout) {
        std::thread thread([joining = joining_] { joining->join(); });
        bool in_time = false;
        try {
            in_time = joining_->wait(timeout);
        } catch (...) {
            thread.join();
            throw;
        }
        in_time ? thread.join() : thread.detach();
        return in_time;
    }
    void drop_callable() noexcept override { joining_.reset(); }
    void store_result(detail::FutureBase& future) override { detail::slot_of<bool>(future).emplace(in_time_); }

    void submit(ExecutorJob& job) override {
        Joining& joining = *joining_;  // of which the coroutine has a share, as the job may be over before this line
        joining.helper = std::thread([&job] { job.run(); });
    }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {}

    std::shared_ptr<Joining> joining_;
    std::optional<Seconds> timeout_;
    bool in_time_ = false;
};

/// In a forked child, which has none of the threads, there is nothing left to wait for.
class EndInChild final : public detail::ForkAware, private detail::ReadyNode {
public:
    EndInChild(detail::LoopCore& loop, Joining& joining, detail::FutureBase& joined) noexcept
        : ReadyNode(&EndInChild::end), loop_(loop), joining_(joining), joined_(joined) {
        begin_to_follow_forks();
    }
    ~EndInChild() { end_to_follow_forks(); }
    bool has_forked() const noexcept { return has_forked_; }

private:
    /// The loop is at rest, in a callback of the thread that forked; or it is another thread's, and never goes on.
    void after_fork_in_child() noexcept override {
        has_forked_ = true;
        joining_.forget_helper();
        if (!ReadyNode::is_linked()) schedule(loop_, *this);
    }
    static void end(detail::ReadyNode& node) {
        detail::FutureBase& joined = static_cast<EndInChild&>(node).joined_;
        if (joined.done()) return;
        detail::slot_of<bool>(joined).emplace(true);
        joined.finish();
    }

    detail::LoopCore& loop_;
    Joining& joining_;
    detail::FutureBase& joined_;
    bool has_forked_ = false;
};

std::string late_warning(detail::LoopCore& loop, const Executor& executor, Seconds timeout) {
    std::string seconds = detail::repr_of_double(timeout.count());
    if (seconds.ends_with(".0")) seconds.resize(seconds.size() - 2);
    std::string text = "The executor did not finishing joining its threads within " + seconds + " seconds.";
    const char* separator = " Still running: ";
    for (detail::OutsideCall& call : loop.outside().calls) {
        if (call.executor() != &executor || !call.has_begun()) continue;
        text += separator + detail::type_text(call.callable_type());
        separator = ", ";
    }
    return text;
}

std::string text_of_joining(const void*, int) { return "<end of the threads of the default executor>"; }

}  // namespace

Coro<> EventLoop::shutdown_default_executor(std::optional<Seconds> timeout) {
    detail::LoopCore& loop = *core_;
    loop.outside().refuse_calls();
    Executor* executor = loop.outside().executor_or_null();
    if (executor == nullptr) co_return;
    auto joining = std::make_shared<Joining>(*executor, loop.outside().own_executor());
    Future<bool> joined = create_future<bool>();
    detail::Ref<detail::FutureBase> state(joined.state_or_null());
    EndInChild end_in_child(loop, *joining, *state);
    (new JoiningCall(joining, timeout))->start(loop, state);
    co_await detail::MeantFuture(joined, WaitKind::thread, text_of_joining);
    bool in_time = joined.result();
    if (joining->helper.joinable()) joining->helper.join();
    if (end_in_child.has_forked()) executor->shutdown(false);
    if (in_time) co_return;
    detail::log(LogLevel::warning, late_warning(loop, *executor, *timeout));
    executor->shutdown(false);
}

}  // namespace asyncio
