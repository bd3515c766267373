#pragma once

#include <asyncio/core/awaitable.h>

#include <tuple>
#include <utility>

namespace asyncio::detail {

/// What a function returns that waits: the arguments of a waiter, which is made in its place in the frame that awaits
/// it.
template <class Waiter, class... Args>
class [[nodiscard("this waits only where it is awaited")]] WaiterCall : public NativeAwaitable {
public:
    explicit WaiterCall(Args... args) : args_(std::move(args)...) {}
    Waiter operator co_await() {
        return std::apply([](Args&... args) { return Waiter(std::move(args)...); }, args_);
    }

private:
    std::tuple<Args...> args_;
};

}  // namespace asyncio::detail
