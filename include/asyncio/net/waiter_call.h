#pragma once

#include <asyncio/core/awaitable.h>

#include <type_traits>
#include <utility>

namespace asyncio::detail {

struct NoArgument {};

/// What a function returns that waits: the arguments of a waiter, which is made in its place in the frame that awaits
/// it. No tuple, which would be dear to compile.
template <class Waiter, class First, class Second = NoArgument, class Third = NoArgument>
class [[nodiscard("this waits only where it is awaited")]] WaiterCall : public NativeAwaitable {
public:
    explicit WaiterCall(First first, Second second = {}, Third third = {})
        : first_(std::move(first)), second_(std::move(second)), third_(std::move(third)) {}
    Waiter operator co_await() {
        if constexpr (std::is_same_v<Second, NoArgument>) {
            return Waiter(std::move(first_));
        } else if constexpr (std::is_same_v<Third, NoArgument>) {
            return Waiter(std::move(first_), std::move(second_));
        } else {
            return Waiter(std::move(first_), std::move(second_), std::move(third_));
        }
    }

private:
    First first_;
    [[no_unique_address]] Second second_;
    [[no_unique_address]] Third third_;
};

}  // namespace asyncio::detail
