#pragma once

#include <asyncio/tasks/ensure_future.h>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// What shield() does, whatever the type: the future that it returned, `outer`, and the callback on the inner one,
/// which keeps the outer future until the inner one is done.
class Shield : public AwaitsFutures {
public:
    struct Layout;
    std::size_t count_awaited() const noexcept override { return link_ != nullptr ? 1 : 0; }
    FutureBase* awaited(std::size_t) const noexcept override { return inner_; }

protected:
    explicit Shield(FutureBase& outer) noexcept : outer_(outer) {}
    ~Shield() = default;
    Shield(const Shield&) = delete;
    void watch(FutureBase& inner);
    virtual void copy_result(FutureBase& inner) = 0;

private:
    class Link;
    struct OuterDone : ReadyNode {
        explicit OuterDone(Shield& the_shield) noexcept : ReadyNode(&Shield::outer_is_done), shield(the_shield) {}
        Shield& shield;
    };
    void inner_is_done(FutureBase& inner);
    static void outer_is_done(ReadyNode& node);
    FutureBase& outer_;
    OuterDone outer_done_{*this};  // a callback on the outer future
    FutureBase* inner_ = nullptr;
    Link* link_ = nullptr;
};

template <class Argument>
class ShieldState final : public ResultState<typename Argument::Value, FutureBase>, public Shield {
    using Value = typename Argument::Value;

public:
    ShieldState(LoopCore& loop, FutureBase& inner)
        : ResultState<Value, FutureBase>(loop, FutureBase::Kind::future), Shield(static_cast<FutureBase&>(*this)) {
        watch(inner);
    }

private:
    void copy_result(FutureBase& inner) override {
        if constexpr (std::is_void_v<Value>) {
            this->slot().emplace();
        } else if constexpr (Argument::moves) {
            this->slot().emplace(slot_of<Value>(inner).take());
        } else {
            this->slot().emplace(slot_of<Value>(inner).get());
        }
    }
};

}  // namespace detail

/// Waits for something and protects it from cancellation: cancelling the future that this returns, or the task that
/// waits for it, leaves the awaitable alone.
///
/// A coroutine becomes a task. A future that is done already is returned as it is; else the outcome of the inner one is
/// passed on one pass of the loop after it is there: the same exception object, or a cancellation without message. The
/// value of a coroutine or of a future given as an rvalue is moved, that of another future copied. After a cancellation
/// the inner one's result is nobody's business here: keep its handle if you want it.
/// Python: asyncio.shield.
template <class A>
auto shield(A&& awaitable) {
    using Argument = detail::Argument<A>;
    using Value = typename Argument::Value;
    detail::LoopCore& loop = detail::loop_for(awaitable);
    detail::Ref<detail::FutureBase> inner = detail::future_of(loop, static_cast<A&&>(awaitable));
    constexpr bool has_type =
        !std::is_same_v<typename Argument::Handle, AnyFuture> && !std::is_same_v<typename Argument::Handle, AnyTask>;
    if constexpr (has_type) {
        if (inner->done()) return Future<Value>(std::move(inner));
    }
    return Future<Value>(detail::Ref<detail::FutureBase>(new detail::ShieldState<Argument>(loop, *inner)));
}

}  // namespace asyncio
