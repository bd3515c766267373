#include "asio.h"

namespace {

using Channel = asio::experimental::channel<void(boost::system::error_code, long)>;

awaitable<void> produce(Channel& channel, long n) {
    for (long i = 0; i < n; ++i) co_await channel.async_send(boost::system::error_code(), i, use_awaitable);
}

awaitable<long> consume(Channel& channel, long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) {
        long item = co_await channel.async_receive(use_awaitable);
        sum += item;
    }
    co_return sum;
}

awaitable<long> hand_over(asio::io_context& context, long n, std::size_t size) {
    Channel channel(context, size);
    bench::Group group(context);
    group.spawn(context, produce(channel, n));
    long sum = co_await consume(channel, n);
    co_await group.join();
    co_return sum;
}

long in_context(long n, std::size_t size) {
    return bench::run([n, size](asio::io_context& context) { return hand_over(context, n, size); });
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"size_1", [](long n) { return in_context(n, 1); }},
                        {"size_1024", [](long n) { return in_context(n, 1024); }}});
}
