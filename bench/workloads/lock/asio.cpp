// Asio has no lock for coroutines: a channel for one token takes its place.
#include "asio.h"

namespace {

constexpr int tasks = 100;
using Channel = asio::experimental::channel<void(boost::system::error_code)>;

awaitable<void> take_turns(Channel& lock, long times, long& count) {
    for (long i = 0; i < times; ++i) {
        co_await lock.async_send(boost::system::error_code(), use_awaitable);
        ++count;
        lock.try_receive([](boost::system::error_code) {});
    }
}

awaitable<long> hand_over(asio::io_context& context, long n) {
    long count = 0;
    Channel lock(context, 1);
    bench::Group group(context);
    co_await lock.async_send(boost::system::error_code(), use_awaitable);
    for (int i = 0; i < tasks; ++i) group.spawn(context, take_turns(lock, n / tasks, count));
    co_await asio::post(use_awaitable);
    lock.try_receive([](boost::system::error_code) {});
    co_await group.join();
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"hand_over", [](long n) { return bench::run([n](auto& context) { return hand_over(context, n); }); }}});
}
