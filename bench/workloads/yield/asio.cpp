#include "asio.h"

namespace {

constexpr int tasks = 1000;

awaitable<void> yield(long times, long& count) {
    for (long i = 0; i < times; ++i) {
        co_await asio::post(use_awaitable);
        ++count;
    }
}

awaitable<long> one(asio::io_context& context, long n) {
    long count = 0;
    asio::steady_timer timer(context, std::chrono::hours(1));
    timer.async_wait(asio::detached);
    bench::Group group(context);
    group.spawn(context, yield(n, count));
    co_await group.join();
    co_return count;
}

awaitable<long> many(asio::io_context& context, long n) {
    long count = 0;
    bench::Group group(context);
    for (int i = 0; i < tasks; ++i) group.spawn(context, yield(n / tasks, count));
    co_await group.join();
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"one", [](long n) { return bench::run([n](asio::io_context& context) { return one(context, n); }); }},
         {"many", [](long n) { return bench::run([n](asio::io_context& context) { return many(context, n); }); }}});
}
