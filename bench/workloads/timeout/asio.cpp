#include "asio.h"

namespace {

using namespace asio::experimental::awaitable_operators;

awaitable<void> yield(long& count) {
    co_await asio::post(use_awaitable);
    ++count;
}

awaitable<long> block(asio::io_context& context, long n) {
    long count = 0;
    asio::steady_timer timer(context);
    for (long i = 0; i < n; ++i) {
        timer.expires_after(std::chrono::seconds(1));
        co_await (yield(count) || timer.async_wait(use_awaitable));
    }
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv, {{"block", [](long n) { return bench::run([n](auto& context) { return block(context, n); }); }}});
}
