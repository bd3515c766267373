// Asio has no event: a timer that never ends and is shared by all takes its place.
#include "asio.h"

namespace {

awaitable<void> nap(asio::io_context& context, long& count) {
    ++count;
    asio::steady_timer timer(context, std::chrono::hours(1));
    co_await timer.async_wait(use_awaitable);
}

awaitable<void> wait_for(asio::steady_timer& event, long& count) {
    ++count;
    co_await event.async_wait(asio::as_tuple(use_awaitable));
}

long park(long n, bool on_event) {
    asio::io_context context(1);
    long count = 0;
    asio::steady_timer event(context, Clock::time_point::max());
    for (long i = 0; i < n; ++i) {
        asio::co_spawn(context, on_event ? wait_for(event, count) : nap(context, count), asio::detached);
    }
    while (context.poll() > 0) {
    }
    bench::finish(n, count);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"sleep", [](long n) { return park(n, false); }}, {"event", [](long n) { return park(n, true); }}});
}
