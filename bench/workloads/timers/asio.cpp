#include "asio.h"

namespace {

awaitable<void> nap(asio::io_context& context, std::chrono::milliseconds delay, long& count) {
    asio::steady_timer timer(context, delay);
    co_await timer.async_wait(use_awaitable);
    ++count;
}

awaitable<long> sleepers(asio::io_context& context, long n) {
    long count = 0;
    bench::Random random;
    bench::Group group(context);
    for (long i = 0; i < n; ++i) {
        group.spawn(context, nap(context, std::chrono::milliseconds(random.below(1000)), count));
    }
    co_await group.join();
    co_return count;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"sleepers", [](long n) { return bench::run([n](auto& context) { return sleepers(context, n); }); }}});
}
