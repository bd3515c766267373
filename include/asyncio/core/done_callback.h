#pragma once

#include <asyncio/context/context.h>
#include <asyncio/core/awaitable.h>
#include <asyncio/core/future_base.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/scheduling.h>

#include <cstdint>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

/// A user's callback on a future. Waits in the future's list, then in the ready queue.
class DoneCallback : public ReadyNode, public Pooled {
public:
    std::uint64_t id() const noexcept { return id_; }
    /// The future is done: the callback keeps it alive until it was called.
    void keep(FutureBase& future) noexcept { future_ = Ref<FutureBase>(&future); }
    virtual void call(Ref<FutureBase> future) = 0;
    /// By what a user knows it.
    virtual Called called() const noexcept;
    virtual ~DoneCallback() = default;

    static void run_callback(ReadyNode& node);

protected:
    explicit DoneCallback(ContextRef context);

private:
    ContextSlot context_;
    std::uint64_t id_;
    Ref<FutureBase> future_;
};

template <class Handle, class Callback>
class DoneCallbackOf final : public DoneCallback {
public:
    DoneCallbackOf(Callback callback, ContextRef context) : DoneCallback(context), callback_(std::move(callback)) {}
    void call(Ref<FutureBase> future) override { static_cast<void>(callback_(Handle(std::move(future)))); }
    Called called() const noexcept override { return {known_type<Callback>, code_of(callback_)}; }

private:
    Callback callback_;
};

template <class Handle, class Callback>
std::uint64_t add_done_callback(FutureBase& future, Callback callback, ContextRef context) {
    static_assert(std::is_invocable_v<Callback&, Handle>,
                  "add_done_callback() calls its callback with the future or task that is done");
    check_gives_no_coroutine<Callback&, Handle>();
    auto* node = new DoneCallbackOf<Handle, Callback>(std::move(callback), context);
    std::uint64_t id = node->id();
    future.add_done_callback(*node);
    return id;
}

}  // namespace asyncio::detail
