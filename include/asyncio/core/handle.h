#pragma once

#include <asyncio/core/context.h>
#include <asyncio/core/scheduling.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio {

namespace detail {

/// A callback that was given to a loop: waits in its ready queue or timer heap. The loop holds one count of it while
/// it is queued, each Handle another. `call_soon_threadsafe` makes them on any thread, so the count is atomic there.
class HandleBase : public TimerNode, public Pooled {
public:
    void inc_ref() noexcept;
    void dec_ref() noexcept;

    void cancel() noexcept;
    bool cancelled() const noexcept;
    TimePoint when() const noexcept { return when_; }
    bool is_timer() const noexcept { return is_timer_; }
    ContextSlot& context_slot() noexcept { return context_; }
    std::string repr() const;
    /// Other threads may cancel it.
    void make_threadsafe();

    /// What the loop runs: the callback in its context; an exception goes to the loop's exception handler.
    static void run_handle(ReadyNode& node);

    virtual ~HandleBase();

protected:
    HandleBase(LoopCore& loop, ContextRef context);
    virtual void invoke() = 0;
    virtual void drop() noexcept = 0;  // destroys the callable and its arguments
    virtual const std::type_info& callable_type() const noexcept = 0;

private:
    friend class LoopCore;
    struct Lock;
    void run_now();
    void report_exception();

    std::uint32_t references_ = 1;
    bool cancelled_ = false;
    bool is_timer_ = false;
    bool queued_ = false;   // the loop holds a count
    bool running_ = false;  // the callable must not be destroyed now
    bool stays_ = false;    // it will be called again: a reader's or a signal's
    LoopCore* loop_;
    Lock* lock_ = nullptr;  // of a handle that other threads may cancel
    ContextSlot context_;
    TimePoint when_;
};

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

private:
    F function_;
    std::tuple<Args...> arguments_;
};

/// The callable by which a user knows a callback.
template <class F>
inline const std::type_info& known_type = typeid(F);
template <class F, class... Args>
inline const std::type_info& known_type<BoundCall<F, Args...>> = typeid(F);

template <class F>
class HandleOf final : public HandleBase {
public:
    template <class G>
    HandleOf(LoopCore& loop, ContextRef context, G&& function) : HandleBase(loop, context) {
        ::new (static_cast<void*>(&function_)) F(static_cast<G&&>(function));
    }
    ~HandleOf() override { drop(); }

private:
    void invoke() override { static_cast<void>(function_()); }
    void drop() noexcept override {
        if (std::exchange(dropped_, true)) return;
        function_.~F();
    }
    const std::type_info& callable_type() const noexcept override { return known_type<F>; }

    union {
        F function_;
    };
    bool dropped_ = false;
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
    bool cancelled() const { return state_ && state_->cancelled(); }
    Context get_context() const { return state_->context_slot().context(); }

    detail::HandleBase* state_or_null() const noexcept { return state_.get(); }

protected:
    detail::Ref<detail::HandleBase> state_;
};

/// A callback for a certain moment. Python: asyncio.TimerHandle.
class TimerHandle : public Handle {
public:
    using Handle::Handle;
    /// The moment on the loop's clock.
    TimePoint when() const { return state_ ? state_->when() : TimePoint{}; }
};

/// `<Handle main::callback>` or `<TimerHandle cancelled when=12.5>`, as Python prints it.
std::string repr(const Handle& handle);

}  // namespace asyncio
