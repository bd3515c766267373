#include <asyncio/core/future_base.h>

#include "core/late_cancelled_error.h"
#include "core/task_loop.h"
#include "core/tracebacks.h"

#include <atomic>
#include <new>

namespace asyncio::detail {

FutureBase::FutureBase(LoopCore& loop, Kind kind) noexcept : kind_(kind), loop_(&loop) {
    loop.inc_ref();
    if (loop.debug()) [[unlikely]]
        look_at_thread();
}

FutureBase::~FutureBase() {
    if (!callbacks_.empty()) drop_callbacks();
    loop_->dec_ref();
}

void FutureBase::drop_callbacks() noexcept {
    bool has_handles = references_ >= 0 || looks_at_thread_;
    Ref<FutureBase> keep(has_handles ? this : nullptr);  // what they hold may be the last handle
    ReadyList callbacks;
    callbacks_.move_to(callbacks);
    while (!callbacks.empty()) {
        ReadyNode& node = callbacks.pop_front();
        if (node.run_function() == &DoneCallback::run_callback) delete static_cast<DoneCallback*>(&node);
    }
}

inline void FutureBase::end_of_life() noexcept {
    bool may_live_on = outlives_handles_ || unretrieved_;
    if (may_live_on && lives_on()) return;
    delete this;
}

void FutureBase::handle_goes() noexcept {
    if (plain_granules_ != 0 && is_empty() && static_cast<TaskBase*>(this)->is_plain()) [[likely]] {
        LoopCore& loop = *loop_;
        deallocate_granules(this, plain_granules_);
        return loop.dec_ref();
    }
    destroy_slowly();
}

/// In debug mode. False: there are others.
[[gnu::noinline]] bool FutureBase::last_handle_goes() noexcept {
    loop_->note_thread("a handle of a Task or Future went in a thread that is not its loop's");
    if (references_ != INT32_MIN) return false;
    looks_at_thread_ = false;
    references_ = -1;
    return true;
}

void FutureBase::destroy_slowly() noexcept {
    if (looks_at_thread_) [[unlikely]] {
        if (!last_handle_goes()) return;
        if (plain_granules_ != 0 && is_empty()) static_cast<TaskBase*>(this)->forget_birthplace();
        return handle_goes();
    }
    // What dies with this one (its result, its children) waits for its turn, so that long chains need no recursion.
    TaskLoop& loop = task_loop(*loop_);
    if (loop.destroying_futures) {
        try {
            loop.dying_futures.push_back(this);
        } catch (const std::bad_alloc&) {
            end_of_life();
        }
        return;
    }
    loop.inc_ref();
    loop.destroying_futures = true;
    end_of_life();
    while (!loop.dying_futures.empty()) {
        FutureBase* next = loop.dying_futures.back();
        loop.dying_futures.pop_back();
        next->end_of_life();
    }
    loop.destroying_futures = false;
    loop.dec_ref();
}

bool FutureBase::lives_on() noexcept {
    if (outlives_handles_ && outlive_handles()) return true;
    if (!unretrieved_) return false;
    // The handler may look at the future, and even keep it.
    unretrieved_ = false;
    references_ = 0;
    report_unretrieved();
    return --references_ >= 0;
}

void FutureBase::report_unretrieved() noexcept {
    exception_handler_of(*loop_).report({.exception = exception_, .future = AnyFuture(Ref<FutureBase>(this))},
                                        [this](ExceptionContext& context) {
        bool is_task = kind_ == Kind::task;
        const char* type = is_task ? "Task" : kind_ == Kind::gathering ? "_GatheringFuture" : "Future";
        context.message = std::string(type) + " exception was never retrieved";
        if (is_task) context.stack = static_cast<TaskBase*>(this)->stack(std::nullopt);
    });
}

void FutureBase::schedule_callbacks() noexcept {
    if (loop_->is_closed()) [[unlikely]]
        return drop_callbacks();
    if (has_user_callbacks_) [[unlikely]]
        keep_for_callbacks();
    ReadyList in_order;
    callbacks_.move_to(in_order);
    loop_->push_ready(in_order);
}

void FutureBase::keep_for_callbacks() noexcept {
    for (ReadyNode& node : callbacks_) {
        if (node.run_function() == &DoneCallback::run_callback) static_cast<DoneCallback&>(node).keep(*this);
    }
}

void FutureBase::become_done(State state) noexcept {
    state_ = state;
    if (kind_ == Kind::gathering) [[unlikely]] {
        schedule_callbacks();
        return on_done();
    }
    if (callbacks_.empty()) return;
    bool is_one_of_ours = callbacks_.has_one() && !has_user_callbacks_ && !loop_->is_closed();
    if (!is_one_of_ours) [[unlikely]]
        return schedule_callbacks();
    loop_->push_ready(callbacks_.pop());
}

void FutureBase::become_cancelled(const Ref<CancelRequest>& request) noexcept {
    cancel_request_ = request;
    become_done(State::cancelled);
}

void FutureBase::become_failed(std::exception_ptr exception) noexcept {
    exception_ = std::move(exception);
    if (kind_ != Kind::task) end_traceback_of_future(exception_, *this);
    unretrieved_ = !is_forgotten_;
    become_done(State::finished);
}

bool FutureBase::cancel(const Ref<CancelRequest>& request) {
    unretrieved_ = false;
    if (done()) return false;
    loop_->check_thread();
    become_cancelled(request);
    return true;
}

void FutureBase::finish() noexcept { become_done(State::finished); }

void FutureBase::check_settable(const char* operation) const {
    if (kind_ == Kind::task) throw RuntimeError(std::string("Task does not support ") + operation + " operation");
    if (done()) throw InvalidStateError("invalid state");
    loop_->check_thread();
}

void FutureBase::set_exception(std::exception_ptr exception) {
    check_settable("set_exception");
    if (!exception) throw TypeError("set_exception() needs an exception, not a null exception_ptr");
    become_failed(std::move(exception));
}

std::exception_ptr FutureBase::take_error() {
    if (state_ == State::cancelled) return make_cancelled_error();
    if (state_ == State::pending) return std::make_exception_ptr(InvalidStateError("Result is not set."));
    unretrieved_ = false;
    begin_traceback_at(exception_, *this);
    return exception_;
}

std::exception_ptr FutureBase::exception() {
    if (state_ == State::cancelled) std::rethrow_exception(make_cancelled_error());
    if (state_ == State::pending) throw InvalidStateError("Exception is not set.");
    unretrieved_ = false;
    return exception_;
}

std::exception_ptr FutureBase::make_cancelled_error() {
    if (!exception_) return std::make_exception_ptr(CancelledError(cancel_request_));
    std::exception_ptr first = std::exchange(exception_, nullptr);
    Ref<CancelRequest> request = std::move(cancel_request_);
    if (first == late_cancelled_error()) return std::make_exception_ptr(CancelledError(std::move(request)));
    begin_traceback_at(first, *this);
    return first;
}

bool FutureBase::ended_cancelled() const noexcept {
    return state_ == State::cancelled || (exception_ && is_cancelled_error(exception_));
}

void FutureBase::add_node(ReadyNode& node) noexcept {
    if (!done()) {
        callbacks_.push(node);
    } else if (!loop_->is_closed()) {
        loop_->push_ready(node);
    }
}

void FutureBase::add_done_callback(DoneCallback& callback) {
    std::unique_ptr<DoneCallback> owned(&callback);
    loop_->check_thread();
    if (!done()) {
        has_user_callbacks_ = true;
        callbacks_.push(*owned.release());
        return;
    }
    check_open(*loop_);
    owned->keep(*this);
    loop_->push_ready(*owned.release());
}

void FutureBase::replace_node(ReadyNode& node, DoneCallback& callback) noexcept {
    has_user_callbacks_ = true;
    if (done()) callback.keep(*this);
    node.give_place_to(callback);
}

std::size_t FutureBase::remove_done_callback(std::uint64_t id) {
    loop_->check_thread();
    for (ReadyNode& node : callbacks_) {
        if (node.run_function() != &DoneCallback::run_callback) continue;
        auto& callback = static_cast<DoneCallback&>(node);
        if (callback.id() != id) continue;
        callback.unlink();
        delete &callback;
        return 1;
    }
    return 0;
}

std::size_t FutureBase::count_callbacks() const noexcept {
    std::size_t count = 0;
    for ([[maybe_unused]] ReadyNode& node : callbacks_) ++count;
    return count;
}

DoneCallback::DoneCallback(ContextRef context)
    : ReadyNode(&DoneCallback::run_callback),
      context_(context ? ContextSlot::share(context.get()) : ContextSlot::copy_current()) {
    static std::atomic<std::uint64_t> next_id = 1;
    id_ = next_id.fetch_add(1, std::memory_order_relaxed);
}

Called DoneCallback::called() const noexcept { return {typeid(*this)}; }

namespace {

/// As what a done callback that has failed is shown: in Python it is a Handle like others.
class FailedCallback final : public HandleBase {
public:
    FailedCallback(LoopCore& loop, const DoneCallback& callback, Ref<FutureBase> future) noexcept
        : HandleBase(loop), called_(callback.called()), future_(std::move(future)) {}

private:
    void invoke() override {}
    void drop() noexcept override { future_.reset(); }
    Called called() const noexcept override { return called_; }
    std::string arguments() const override { return asyncio::repr(AnyFuture(future_)); }

    Called called_;
    Ref<FutureBase> future_;
};

}  // namespace

void DoneCallback::run_callback(ReadyNode& node) {
    std::unique_ptr<DoneCallback> callback(static_cast<DoneCallback*>(&node));
    Ref<FutureBase> future = std::move(callback->future_);
    TaskLoop& loop = task_loop(future->loop());
    try {
        ContextScope scope(loop.current_context(), callback->context_);
        callback->call(future);
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        loop.exception_handler.tell({.exception = std::current_exception()}, [&](ExceptionContext& context) {
            auto failed = Ref<HandleBase>::adopt(new FailedCallback(loop, *callback, std::move(future)));
            failed->context_slot() = std::move(callback->context_);
            context.handle = Handle(failed);
            context.message = failed->failure_text();
        });
    }
}

}  // namespace asyncio::detail
