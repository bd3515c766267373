#include <asyncio/loop/handle.h>

#include "errors/called_text.h"
#include "loop/loop_core.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <atomic>

namespace asyncio {
namespace detail {

// What others hold of a handle, they may use now; what nobody else holds, only the loop sees.
bool HandleBase::has_one_reference() const noexcept { return __atomic_load_n(&references_, __ATOMIC_ACQUIRE) == 1; }

void HandleBase::count_slowly() noexcept {
    if (is_shared()) {
        __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED);
        return;
    }
    if (queued_) loop_->note_thread("a handle of a callback was copied in a thread that is not its loop's");
    ++references_;
}

bool HandleBase::drop_slowly() noexcept {
    if (is_shared()) return drop_reference(references_);
    if (queued_) loop_->note_thread("a handle of a callback went in a thread that is not its loop's");
    return --references_ == 0;
}

TimePoint HandleBase::when() const noexcept { return static_cast<const TimedHandleBase&>(*this).when_; }

void HandleBase::drop_once() noexcept {
    if (!std::exchange(dropped_, true)) drop();
}

void HandleBase::cancel() {
    if (is_shared()) return cancel_shared();
    if ((state_ & cancelled_bit) != 0) return;
    if (queued_) loop_->check_thread();
    state_ |= cancelled_bit;
    Ref<HandleBase> keep(this);  // the only other handle may be part of what is dropped
    if ((state_ & running) == 0) drop_once();
    if (std::exchange(queued_, false)) {
        loop_->forget_handle(*this);
        dec_ref();
    }
}

void HandleBase::cancel_shared() noexcept {
    std::atomic_ref state(state_);
    Ref<HandleBase> keep(this);
    State now = state_between_runs();
    while ((now & cancelled_bit) == 0) {
        if (!state.compare_exchange_strong(now, now | cancelled_bit)) {
            now = state_between_runs();
            continue;
        }
        // It stays in the queue, which another thread may not touch, and is skipped when its turn comes.
        if ((now & running) == 0) drop_once();
        return;
    }
}

bool HandleBase::cancelled() const noexcept {
    return ((is_shared() ? state_between_runs() : state_) & cancelled_bit) != 0;
}

/// Waits while the callback runs in another thread. `running` only if it runs in this one.
HandleBase::State HandleBase::state_between_runs() const noexcept {
    std::atomic_ref state(state_);
    State now = state.load();
    while ((now & running) != 0 && running_core_or_null() != loop_ && !loop_->was_running_at_fork()) {
        if (!state.compare_exchange_strong(now, now | awaited)) continue;
        state.wait(now | awaited);
        now = state.load();
    }
    return now;
}

bool HandleBase::begin_shared_turn() noexcept {
    State before = waiting;
    if (has_one_reference()) {  // nobody looks on
        before = std::exchange(state_, running);
    } else {
        std::atomic_ref(state_).compare_exchange_strong(before, running);
    }
    return before == waiting;
}

/// The callable may be destroyed now, and other threads need not wait.
void HandleBase::end_turn() noexcept {
    if (!stays_ || (state_ & cancelled_bit) != 0) drop_once();
    if (is_shared()) {
        std::atomic_ref state(state_);
        if ((state.fetch_and(cancelled_bit) & awaited) != 0) state.notify_all();
    } else {
        state_ &= ~running;
    }
    dec_ref();
}

void HandleBase::run_turn() {
    bool may_run = is_shared() ? begin_shared_turn() : (state_ & cancelled_bit) == 0;
    if (!may_run) [[unlikely]]
        return dec_ref();
    if (!is_shared()) state_ |= running;
    class Turn {
    public:
        explicit Turn(HandleBase& of) noexcept : handle_(of) {}
        ~Turn() {
            if (handle_.has_one_reference()) {
                delete &handle_;
            } else {
                handle_.end_turn();
            }
        }

    private:
        HandleBase& handle_;
    };
    Turn turn(*this);
    try {
        ContextScope scope(loop_->current_context(), context_);
        invoke();
    } catch (...) {
        report_exception();  // throws on what must leave the loop
    }
}

void HandleBase::drop_unrun() noexcept {
    queued_ = false;
    stays_ = false;
    bool is_whole = is_shared() ? begin_shared_turn() : state_ == waiting;
    if (!is_whole) return dec_ref();
    if (has_one_reference()) {
        delete this;
    } else {
        end_turn();
    }
}

void HandleBase::run_handle(ReadyNode& node) {
    auto& handle = static_cast<HandleBase&>(node);
    handle.queued_ = false;
    handle.run_turn();
}

void HandleBase::report_exception() {
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    loop_->callback_failed(*this);
}

std::string HandleBase::failure_text() const { return "Exception in callback " + call_text(); }

std::string HandleBase::call_text() const { return text_of_called(called()) + "(" + arguments() + ")"; }

std::string HandleBase::repr() const {
    std::string text = is_timer_ ? "<TimerHandle" : "<Handle";
    bool is_cancelled = cancelled();
    if (is_cancelled) text += " cancelled";
    if (is_timer_) text += " when=" + repr_of_double(when().seconds());
    if (!is_cancelled) text += " " + call_text();
    return text + ">";
}

// What the loop does with it.

void LoopCore::add_ready_handle(HandleBase& handle) noexcept {
    ++handle.references_;
    handle.queued_ = true;
    push_ready(handle);
}

void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context) {
    if (loop.closed_ || loop.debug()) [[unlikely]]
        loop.check_may_call(handle);
    loop.set_context(handle, context);
    loop.add_ready_handle(handle);
}

void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context) {
    handle.context_ = context ? ContextSlot::share(context.get()) : ContextSlot::copy_current();
    handle.counting_ = HandleBase::Counting::atomic;
    handle.references_ = 2;
    handle.queued_ = true;
    if (loop.inbox_->post(handle)) return;
    delete &handle;
    loop.check_closed();
}

void LoopCore::check_may_call(HandleBase& handle) const {
    if (closed_ || is_wrong_thread()) [[unlikely]]
        refuse_call(handle);
    handle.counting_ = HandleBase::Counting::looks_at_thread;
}

void LoopCore::refuse_call(HandleBase& handle) const {
    auto owned = Ref<HandleBase>::adopt(&handle);
    check_closed();
    throw_wrong_thread();
}

void LoopCore::call_at(TimePoint when, TimedHandleBase& handle, ContextRef context) {
    check_open(*this);
    if (debug_) [[unlikely]]
        handle.counting_ = HandleBase::Counting::looks_at_thread;
    set_context(handle, context);
    handle.is_timer_ = true;
    handle.when_ = when;
    add_timer(when, handle);
    handle.inc_ref();
    handle.queued_ = true;
}

void LoopCore::forget_handle(HandleBase& handle) noexcept {
    remove_timer(handle);
    handle.unlink();
}

}  // namespace detail

Context Handle::get_context() const {
    if (!state_) throw RuntimeError("this handle is empty: it was default-constructed or moved from");
    return state_->context_slot().context();
}

std::string repr(const Handle& handle) { return handle ? handle.state_or_null()->repr() : std::string("<Handle>"); }

}  // namespace asyncio
