// A coroutine that has not begun runs to its first wait all the same, so there is no form for that.
#include "asio.h"

#include <deque>

namespace {

awaitable<void> nap(asio::io_context& context) {
    asio::steady_timer timer(context, std::chrono::hours(1));
    co_await timer.async_wait(use_awaitable);
}

awaitable<void> nap_and_clean_up(asio::io_context& context, long& cleaned_up) {
    asio::steady_timer timer(context, std::chrono::hours(1));
    try {
        co_await timer.async_wait(use_awaitable);
    } catch (const boost::system::system_error&) {
        ++cleaned_up;
        throw;
    }
}

long cancel_all(long n, bool cleans_up) {
    asio::io_context context(1);
    long cleaned_up = 0;
    long cancelled = 0;
    std::deque<asio::cancellation_signal> signals;
    for (long i = 0; i < n; ++i) {
        asio::co_spawn(context, cleans_up ? nap_and_clean_up(context, cleaned_up) : nap(context),
                       asio::bind_cancellation_slot(signals.emplace_back().slot(),
                                                    [&](const std::exception_ptr& error) { cancelled += !!error; }));
    }
    while (context.poll() > 0) {
    }
    bench::start_clock();
    for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
    context.run();
    bench::stop_clock();
    return cleans_up ? cleaned_up : cancelled;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"begun", [](long n) { return cancel_all(n, false); }},
                        {"handled", [](long n) { return cancel_all(n, true); }}});
}
