#pragma once

#include <asyncio/context/context.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/object.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/scheduling.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio {

namespace detail {

/// A callback that was given to a loop: waits in its ready queue or timer heap. The loop holds one count of it while
/// it is queued, each Handle another.
///
/// Only the loop's thread touches it, unless it is shared with other threads, which may cancel it and drop their
/// counts: then the count and `state_` are atomic, and whoever turns its state from `waiting` into another decides what
/// becomes of the callable.
class HandleBase : public TimerNode, public Pooled {
public:
    void inc_ref() noexcept {
        if (counting_ == Counting::plain) {
            ++references_;
        } else {
            count_slowly();
        }
    }
    void dec_ref() noexcept {
        if (counting_ == Counting::plain ? --references_ == 0 : drop_slowly()) delete this;
    }

    /// The same for whoever is in the loop's thread for sure: debug mode need not ask.
    void inc_ref_in_its_thread() noexcept {
        if (is_shared()) return count_slowly();
        ++references_;
    }
    void dec_ref_in_its_thread() noexcept {
        if (is_shared() ? drop_slowly() : --references_ == 0) delete this;
    }

    void cancel();
    bool cancelled() const noexcept;
    bool is_timer() const noexcept { return is_timer_; }
    TimePoint when() const noexcept;  // of a timer
    ContextSlot& context_slot() noexcept { return context_; }
    bool is_queued() const noexcept { return queued_; }
    /// It will be called again: a reader's or a signal's.
    void set_stays() noexcept { stays_ = true; }
    std::string repr() const;

    /// What the loop runs: a turn of the callback that is not queued any more.
    static void run_handle(ReadyNode& node);
    /// Runs the callback in its context; an exception goes to the loop's exception handler. Gives back one count.
    void run_turn();
    /// The loop is closed, and the callback will never run: destroys the callable, also where a Handle is left. Gives
    /// back one count.
    void drop_unrun() noexcept;
    /// What the loop's exception handler is told when the callback has thrown.
    std::string failure_text() const;

    virtual ~HandleBase() = default;

protected:
    explicit HandleBase(LoopCore& loop) noexcept : TimerNode(&HandleBase::run_handle), loop_(&loop) {}
    bool is_dropped() const noexcept { return dropped_; }
    virtual void invoke() = 0;
    virtual void drop() noexcept = 0;  // destroys the callable and its arguments
    virtual Called called() const noexcept = 0;
    /// Of those that the callable is shown with, between its parentheses.
    virtual std::string arguments() const { return {}; }

private:
    friend class LoopCore;
    friend void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context);
    friend void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context);

    using State = std::uint32_t;
    static constexpr State waiting = 0;  // or over
    static constexpr State running = 1;  // the callable must not be destroyed now
    static constexpr State awaited = 2;  // another thread waits for the end of `running`
    static constexpr State cancelled_bit = 4;

    enum class Counting : std::uint8_t {
        plain,
        looks_at_thread,  // in debug mode
        atomic,           // it is shared
    };

    bool is_shared() const noexcept { return counting_ == Counting::atomic; }
    void count_slowly() noexcept;
    bool drop_slowly() noexcept;
    bool begin_shared_turn() noexcept;
    void end_turn() noexcept;
    void report_exception();
    bool has_one_reference() const noexcept;
    std::string call_text() const;
    void drop_once() noexcept;
    void cancel_shared() noexcept;
    State state_between_runs() const noexcept;

    std::uint32_t references_ = 1;
    mutable State state_ = waiting;
    bool is_timer_ = false;
    bool queued_ = false;   // the loop holds a count
    bool stays_ = false;    // it will be called again: a reader's or a signal's
    bool dropped_ = false;  // the callable is destroyed
    Counting counting_ = Counting::plain;
    LoopCore* loop_;
    ContextSlot context_;
};

/// One that waits for a moment.
class TimedHandleBase : public HandleBase {
protected:
    using HandleBase::HandleBase;

private:
    friend class HandleBase;
    friend class LoopCore;
    TimePoint when_;
};

/// The callback runs in the loop's next pass, in `context` or a copy of the current one. The loop has a count of its
/// own then. Throws RuntimeError if the loop is closed: then the handle is gone.
void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context);
void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context);

/// A callable with the arguments that it will be called with.
template <class F, class... Args>
class BoundCall {
public:
    template <class Function, class... Arguments>
    explicit BoundCall(Function&& function, Arguments&&... arguments)
        : function_(static_cast<Function&&>(function)), arguments_(static_cast<Arguments&&>(arguments)...) {}
    decltype(auto) operator()() {
        return std::apply([this](Args&... values) -> decltype(auto) { return invoke(function_, values...); },
                          arguments_);
    }
    const F& called() const noexcept { return function_; }

private:
    F function_;
    std::tuple<Args...> arguments_;
};

template <class F, class... Args>
inline const std::type_info& known_type<BoundCall<F, Args...>> = typeid(F);
template <class F, class... Args>
inline constexpr bool keeps_called<BoundCall<F, Args...>> = true;

template <class F, class Base = HandleBase>
class HandleOf final : public Base {
public:
    template <class G>
    HandleOf(LoopCore& loop, G&& function) : Base(loop) {
        ::new (static_cast<void*>(address_of(function_))) F(static_cast<G&&>(function));
    }
    ~HandleOf() override {
        if (!this->is_dropped()) drop();
    }

private:
    void invoke() override { static_cast<void>(function_()); }
    void drop() noexcept override {
        if constexpr (!std::is_trivially_destructible_v<F>) function_.~F();
    }
    Called called() const noexcept override {
        bool is_there = std::is_trivially_destructible_v<F> || !this->is_dropped();
        return {known_type<F>, is_there ? code_of(function_) : 0};
    }

    union {
        F function_;
    };
};

}  // namespace detail

/// A callback that was given to a loop. Copies name the same one. Python: asyncio.Handle.
class Handle {
public:
    Handle() noexcept = default;
    explicit Handle(detail::Ref<detail::HandleBase> state) noexcept : state_(std::move(state)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    friend bool operator==(const Handle&, const Handle&) noexcept = default;

    /// The callback will not run, even if its turn has come in this pass. Harmless when it ran already.
    /// From another thread only for a handle of `call_soon_threadsafe`: it then waits while the callback runs.
    void cancel() const {
        if (state_) state_->cancel();
    }
    /// Whether `cancel()` was called; an empty handle gives false. Waits while the callback of a `call_soon_threadsafe`
    /// runs in another thread. Python: handle.cancelled().
    bool cancelled() const { return state_ && state_->cancelled(); }
    /// The context that the callback runs in. Throws RuntimeError for an empty handle. Python: handle.get_context().
    Context get_context() const;

    detail::HandleBase* state_or_null() const noexcept { return state_.get(); }

protected:
    detail::Ref<detail::HandleBase> state_;
};

/// A callback for a certain moment. Python: asyncio.TimerHandle.
class TimerHandle : public Handle {
public:
    using Handle::Handle;
    /// The moment on the loop's clock.
    TimePoint when() const { return state_ && state_->is_timer() ? state_->when() : TimePoint{}; }
};

/// `<Handle main::callback>` or `<TimerHandle cancelled when=12.5>`, as Python prints it.
std::string repr(const Handle& handle);

}  // namespace asyncio
