#include <asyncio/tasks/async_exit_stack.h>

#include <asyncio/core/context_of.h>
#include <asyncio/tasks/async_context_managers.h>

namespace asyncio {

detail::ExitAction::~ExitAction() = default;

void detail::throw_did_not_yield() { throw RuntimeError("generator didn't yield"); }
void detail::throw_did_not_stop(bool after_athrow) {
    throw RuntimeError(after_athrow ? "generator didn't stop after athrow()" : "generator didn't stop");
}

AsyncExitStack::AsyncExitStack() noexcept = default;
AsyncExitStack::AsyncExitStack(AsyncExitStack&& other) noexcept = default;
AsyncExitStack& AsyncExitStack::operator=(AsyncExitStack&& other) noexcept {
    last_.swap(other.last_);
    return *this;
}
AsyncExitStack::~AsyncExitStack() {
    while (last_) take_last();  // one after the other: a long list needs no deep stack
}

void AsyncExitStack::keep(std::unique_ptr<detail::ExitAction> action) noexcept {
    action->below = std::move(last_);
    last_ = std::move(action);
}

std::unique_ptr<detail::ExitAction> AsyncExitStack::take_last() noexcept {
    std::unique_ptr<detail::ExitAction> action = std::move(last_);
    last_ = std::move(action->below);
    return action;
}

AsyncExitStack AsyncExitStack::pop_all() noexcept {
    AsyncExitStack all;
    all.last_.swap(last_);
    return all;
}

Coro<> AsyncExitStack::aclose() {
    bool dropped = co_await aexit(nullptr);
    static_cast<void>(dropped);
}

Coro<bool> AsyncExitStack::aexit(std::exception_ptr error) {
    const bool received = error != nullptr;
    bool suppressed = false;
    bool raises = false;
    while (last_) {  // an exit may push others
        std::unique_ptr<detail::ExitAction> action = take_last();
        std::uint64_t begun = error ? detail::count_of_contexts() : 0;
        try {
            bool drops = co_await action->leave(error);
            if (drops) {
                suppressed = true;
                raises = false;
                error = nullptr;
            }
        } catch (...) {
            std::exception_ptr failure = std::current_exception();
            detail::chain_context(failure, error, begun);
            raises = true;
            error = std::move(failure);
        }
    }
    if (raises) {
        co_await detail::EndWith(error);
    }
    co_return received&& suppressed;
}

}  // namespace asyncio
