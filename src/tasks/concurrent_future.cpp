#include <asyncio/tasks/concurrent_future.h>

#include "detail/fork_aware.h"
#include "detail/thread_sleep.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/repr.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <string>

namespace asyncio::detail {

/// A thread that waits. Linked while nobody has woken it; whoever does needs the lock, it itself does not.
class ConcurrentFutureBase::WaitingThread : public ListHook<> {
public:
    ThreadSleep sleep;
    /// It works for this loop itself, while the loop's virtual clock stands still for its work. So the clock may jump
    /// meanwhile, and a time limit is one of that clock.
    ExecutorCall* call = nullptr;
};

struct ConcurrentFutureBase::Sync : Pooled {
    std::mutex& mutex = fork_safe_mutex_of(this);
    IntrusiveList<ConcurrentCallback> callbacks;
    IntrusiveList<WaitingThread> waiters;
};

/// The task's done callback. Dies with the task, called or not; or before it was the task's.
class ConcurrentFutureBase::Completion {
public:
    explicit Completion(Ref<ConcurrentFutureBase> future) noexcept : future_(std::move(future)) {}
    Completion(Completion&&) noexcept = default;
    ~Completion() {
        if (future_ && future_->task_ != nullptr) future_->give_up();
    }
    void operator()(const AnyFuture& task) {
        Ref<ConcurrentFutureBase> future = std::move(future_);
        future->copy_outcome(*task.state_or_null());
    }

private:
    Ref<ConcurrentFutureBase> future_;
};

class ConcurrentFutureBase::CancelMessage final : public Message {
public:
    CancelMessage(Ref<ConcurrentFutureBase> future, Ref<CancelRequest> request) noexcept
        : future_(std::move(future)), request_(std::move(request)) {}

private:
    void deliver() override { future_->cancel_task(request_); }
    Ref<ConcurrentFutureBase> future_;
    Ref<CancelRequest> request_;
};

class ConcurrentFutureBase::TimerMessage final : public Message {
public:
    TimerMessage(Ref<ConcurrentFutureBase> future, Seconds timeout, WaitingThread& waiter) noexcept
        : future_(std::move(future)), timeout_(timeout), waiter_(waiter) {}

private:
    void deliver() override {
        get_running_loop().call_later(timeout_, [future = future_, &waiter = waiter_] { future->expire(waiter); });
    }
    Ref<ConcurrentFutureBase> future_;
    Seconds timeout_;
    WaitingThread& waiter_;  // good as long as the future is not done
};

ConcurrentFutureBase::ConcurrentFutureBase(LoopCore& loop) : sync_(new Sync), inbox_(inbox_of(loop)) {}

ConcurrentFutureBase::~ConcurrentFutureBase() {
    while (!sync_->callbacks.empty()) delete &sync_->callbacks.pop_front();
    delete sync_;
}

bool ConcurrentFutureBase::cancelled() const noexcept {
    std::lock_guard lock(sync_->mutex);
    return state_ == State::cancelled;
}
bool ConcurrentFutureBase::running() const noexcept {
    std::lock_guard lock(sync_->mutex);
    return state_ == State::running;
}
bool ConcurrentFutureBase::done() const noexcept {
    std::lock_guard lock(sync_->mutex);
    return is_done();
}
bool ConcurrentFutureBase::is_of_loop(const LoopCore& loop) const noexcept {
    return inbox_ == inbox_of(const_cast<LoopCore&>(loop));
}

// Ending it, on any thread.

bool ConcurrentFutureBase::begin_running() noexcept {
    std::lock_guard lock(sync_->mutex);
    if (state_ != State::pending) return false;
    state_ = State::running;
    return true;
}

bool ConcurrentFutureBase::become(State state, bool* following) noexcept {
    std::lock_guard lock(sync_->mutex);
    if (following != nullptr) *following = following_;
    if (is_done() || (state == State::cancelled && state_ == State::running)) return false;
    state_ = state;
    // Those who wait go on, so the clock must not jump from this very moment.
    for (WaitingThread& waiter : sync_->waiters) {
        if (waiter.call != nullptr) waiter.call->set_blocked(false);
    }
    while (!sync_->waiters.empty()) sync_->waiters.pop_front().sleep.end();
    return true;
}

void ConcurrentFutureBase::call_back() {
    // Without the lock: it is done, so nobody adds or removes one any more.
    IntrusiveList<ConcurrentCallback>& callbacks = sync_->callbacks;
    class Rest {  // what KeyboardInterrupt or SystemExit leaves uncalled
    public:
        explicit Rest(IntrusiveList<ConcurrentCallback>& list) : list_(list) {}
        ~Rest() {
            while (!list_.empty()) delete &list_.pop_front();
        }

    private:
        IntrusiveList<ConcurrentCallback>& list_;
    };
    Rest rest(callbacks);
    while (!callbacks.empty()) {
        std::unique_ptr<ConcurrentCallback> callback(&callbacks.pop_front());
        call_safely(*callback);
    }
}

void ConcurrentFutureBase::call_safely(ConcurrentCallback& callback) {
    try {
        callback.call(Ref<ConcurrentFutureBase>(this));
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        std::exception_ptr error = std::current_exception();
        try {
            std::string said = str(error);
            log(LogLevel::error, "exception calling callback for " + repr() + "\n" + type_name(error) +
                                     (said.empty() ? "" : ": " + said));
        } catch (const std::bad_alloc&) {  // the other callbacks are called all the same: tasks may wait for them
            log(LogLevel::error, "exception calling callback for a Future");
        }
    }
}

void ConcurrentFutureBase::fail(std::exception_ptr exception) {
    if (!begin_running()) return;
    exception_ = std::move(exception);
    become(State::finished);
    call_back();
}

bool ConcurrentFutureBase::cancel(std::source_location where) {
    Ref<ConcurrentFutureBase> keep(this);
    bool following = false;
    if (!become(State::cancelled, &following)) return cancelled();
    if (following) {
        Ref<CancelRequest> request = make_cancel_request(std::nullopt, {}, where);
        if (inbox_->is_of_running_loop()) {
            cancel_task(request);
        } else {
            Message::send(new CancelMessage(keep, std::move(request)), *inbox_);
        }
    }
    call_back();
    return true;
}

void ConcurrentFutureBase::give_up() noexcept {
    task_ = nullptr;
    try {
        if (become(State::cancelled)) call_back();
    } catch (...) {
        // KeyboardInterrupt or SystemExit out of a callback, while the loop is torn down.
        try {
            log(LogLevel::error, "a callback of " + repr() + " threw " + type_name(std::current_exception()));
        } catch (const std::bad_alloc&) {
            log(LogLevel::error, "a callback of a Future threw");
        }
    }
}

// On the loop's thread.

void ConcurrentFutureBase::follow(const AnyTask& task) {
    try {
        task.add_done_callback(Completion(Ref<ConcurrentFutureBase>(this)));
    } catch (const std::bad_alloc&) {  // who asked is told so, and nobody would know of the task's end
        task.cancel();
        throw;
    }
    task_ = task.state_or_null();
    std::unique_lock lock(sync_->mutex);
    following_ = true;
    bool was_cancelled = is_done();
    lock.unlock();
    if (was_cancelled) task.cancel();
}

void ConcurrentFutureBase::cancel_task(const Ref<CancelRequest>& request) {
    if (task_ != nullptr) task_->cancel(request);
}

void ConcurrentFutureBase::copy_outcome(FutureBase& task) {
    task_ = nullptr;
    if (task.cancelled()) {
        if (become(State::cancelled)) call_back();
        return;
    }
    if (!begin_running()) return;  // cancelled; an exception of the task is nobody's now
    exception_ = task.exception();
    try {
        if (!exception_) take_result(task);
    } catch (...) {
        exception_ = std::current_exception();  // moving the result threw
    }
    become(State::finished);
    call_back();
}

// Waiting for it, on any thread.

void ConcurrentFutureBase::wait(std::optional<Seconds> timeout) {
    std::unique_lock lock(sync_->mutex);
    if (is_done()) return;
    if (!timeout && inbox_->is_of_running_loop()) {
        throw RuntimeError(
            "waiting for a coroutine in the thread of its own loop would never end: co_await the future");
    }
    WaitingThread waiter;
    sync_->waiters.push_back(waiter);
    std::optional<std::chrono::nanoseconds> limit;
    ExecutorCall* own_call = running_call();
    if (own_call != nullptr && &own_call->inbox() == inbox_.get() && inbox_->has_virtual_time()) {
        if (timeout) Message::send(new TimerMessage(Ref<ConcurrentFutureBase>(this), *timeout, waiter), *inbox_);
        waiter.call = own_call;
        own_call->set_blocked(true);
    } else if (timeout && timeout->count() < 1e9) {
        // A negative limit is none at all; one of thirty years needs no clock.
        limit = std::chrono::nanoseconds(static_cast<std::int64_t>(std::max(0.0, timeout->count()) * 1e9));
    }
    lock.unlock();
    bool woken = waiter.sleep.wait(limit);
    bool may_have_expired = !woken || waiter.call != nullptr;
    if (!may_have_expired) return;
    lock.lock();  // to look, and for the waiter to leave the line
    if (!is_done()) throw TimeoutError();
}

void ConcurrentFutureBase::expire(WaitingThread& waiter) noexcept {
    std::lock_guard lock(sync_->mutex);
    if (is_done()) return;
    waiter.unlink();
    waiter.call->set_blocked(false);
    waiter.sleep.end();
}

void ConcurrentFutureBase::wait_for_result(std::optional<Seconds> timeout) {
    wait(timeout);
    if (state_ == State::cancelled) throw CancelledError();
    if (exception_) std::rethrow_exception(exception_);
}

std::exception_ptr ConcurrentFutureBase::exception(std::optional<Seconds> timeout) {
    wait(timeout);
    if (state_ == State::cancelled) throw CancelledError();
    return exception_;
}

void ConcurrentFutureBase::add_callback(ConcurrentCallback* callback) {
    std::unique_ptr<ConcurrentCallback> owned(callback);
    std::unique_lock lock(sync_->mutex);
    if (!is_done()) {
        sync_->callbacks.push_back(*owned.release());
        return;
    }
    lock.unlock();
    call_safely(*owned);
}

bool ConcurrentFutureBase::remove_callback(ConcurrentCallback* callback) noexcept {
    std::unique_lock lock(sync_->mutex);
    if (is_done()) return false;
    callback->unlink();
    lock.unlock();
    delete callback;
    return true;
}

std::string ConcurrentFutureBase::repr() const {
    std::lock_guard lock(sync_->mutex);
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<const void*>(this));
    std::string text = "<Future at " + std::string(address) + " state=";
    switch (state_) {
        case State::pending:
            return text + "pending>";
        case State::running:
            return text + "running>";
        case State::cancelled:
            return text + "cancelled>";
        case State::finished:
            break;
    }
    if (exception_) return text + "finished raised " + type_name(exception_) + ">";
    return text + "finished returned " + type_text(result_type()) + ">";
}

// Waiting for it as a coroutine.

class ConcurrentWait::DoneCallback final : public ConcurrentCallback {
public:
    explicit DoneCallback(ExecutorJob& job) noexcept : job_(job) {}
    void call(Ref<ConcurrentFutureBase>) override { job_.run(); }

private:
    ExecutorJob& job_;
};

ConcurrentWait::ConcurrentWait(Ref<ConcurrentFutureBase> source) noexcept : source_(std::move(source)) {}
ConcurrentWait::~ConcurrentWait() = default;

void ConcurrentWait::start(LoopCore& loop, Ref<FutureBase> future) {
    ExecutorCall::submit(loop, static_cast<Executor*>(this), std::move(future));
}

void ConcurrentWait::submit(ExecutorJob& job) {
    callback_ = new DoneCallback(job);
    source_->add_callback(callback_);
}

bool ConcurrentWait::try_cancel(ExecutorJob&) noexcept {
    if (!source_->remove_callback(callback_)) return false;
    source_->cancel(std::source_location());
    return true;
}

}  // namespace asyncio::detail
