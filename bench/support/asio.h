// What the programs for Boost.Asio share. The context knows that one thread runs it.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <chrono>

#include "bench.h"

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using Clock = asio::steady_timer::clock_type;

namespace bench {

/// Runs the coroutine in a context of its own and returns its result.
template <class MakeCoroutine>
long run(MakeCoroutine make) {
    asio::io_context context(1);
    long result = 0;
    asio::co_spawn(context, make(context), [&](const std::exception_ptr& error, long value) {
        if (error) std::rethrow_exception(error);
        result = value;
    });
    context.run();
    return result;
}

/// Completes when `leave()` has been called as often as `enter()`: what joins coroutines that were spawned.
class Group {
public:
    explicit Group(asio::io_context& context) : empty_(context, Clock::time_point::max()) {}
    void enter() { ++left_; }
    void leave() {
        if (--left_ == 0) empty_.cancel();
    }
    awaitable<void> join() {
        if (left_ > 0) co_await empty_.async_wait(asio::as_tuple(use_awaitable));
    }
    /// Spawns a coroutine into the group.
    void spawn(asio::io_context& context, awaitable<void> coroutine) {
        enter();
        asio::co_spawn(context, std::move(coroutine), [this](const std::exception_ptr&) { leave(); });
    }

private:
    asio::steady_timer empty_;
    long left_ = 0;
};

}  // namespace bench
