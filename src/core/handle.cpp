#include <asyncio/core/handle.h>

#include "core/loop_core.h"

#include <mutex>

namespace asyncio {
namespace detail {

/// Held while the callback runs, so that cancel() from another thread waits for it; recursive, since the callback
/// may cancel its own handle.
struct HandleBase::Lock {
    std::recursive_mutex mutex;
};

HandleBase::HandleBase(LoopCore& loop, ContextRef context)
    : TimerNode(&HandleBase::run_handle),
      loop_(&loop),
      context_(context ? ContextSlot::share(context.get()) : ContextSlot::copy_current()) {}

HandleBase::~HandleBase() { delete lock_; }

void HandleBase::make_threadsafe() { lock_ = new Lock; }

void HandleBase::inc_ref() noexcept {
    if (lock_ == nullptr) {
        ++references_;
    } else {
        __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED);
    }
}

void HandleBase::dec_ref() noexcept {
    std::uint32_t left = lock_ == nullptr ? --references_ : __atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL);
    if (left == 0) delete this;
}

void HandleBase::cancel() noexcept {
    if (lock_ != nullptr) {
        // It stays in the queue, which another thread may not touch, and is skipped when its turn comes.
        std::lock_guard guard(lock_->mutex);
        if (!std::exchange(cancelled_, true) && !running_) drop();
        return;
    }
    if (std::exchange(cancelled_, true)) return;
    Ref<HandleBase> keep(this);  // the only other handle may be part of what is dropped
    if (!running_) drop();
    if (std::exchange(queued_, false)) {
        loop_->forget_handle(*this);
        dec_ref();
    }
}

bool HandleBase::cancelled() const noexcept {
    if (lock_ == nullptr) return cancelled_;
    std::lock_guard guard(lock_->mutex);
    return cancelled_;
}

void HandleBase::run_handle(ReadyNode& node) {
    auto& handle = static_cast<HandleBase&>(node);
    Ref<HandleBase> keep = Ref<HandleBase>::adopt(&handle);  // the queue's count
    handle.queued_ = false;
    if (handle.lock_ == nullptr) {
        handle.run_now();
    } else {
        std::lock_guard guard(handle.lock_->mutex);
        if (!handle.cancelled_) handle.run_now();
    }
}

void HandleBase::run_now() {
    running_ = true;
    try {
        ContextScope scope(loop_->current_context(), context_);
        invoke();
    } catch (...) {
        report_exception();  // throws on what must leave the loop
    }
    running_ = false;
    if (!stays_) drop();
}

void HandleBase::report_exception() {
    running_ = false;
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    loop_->call_exception_handler({.message = "Exception in callback " + type_text(callable_type()),
                                   .exception = std::current_exception(),
                                   .handle = Handle(Ref<HandleBase>(this))});
}

std::string HandleBase::repr() const {
    std::string text = is_timer_ ? "<TimerHandle" : "<Handle";
    bool is_cancelled = cancelled();
    if (is_cancelled) text += " cancelled";
    if (is_timer_) text += " when=" + repr_of_double(when_.seconds());
    if (!is_cancelled) text += " " + type_text(callable_type()) + "()";
    return text + ">";
}

}  // namespace detail

std::string repr(const Handle& handle) { return handle ? handle.state_or_null()->repr() : std::string("<Handle>"); }

}  // namespace asyncio
