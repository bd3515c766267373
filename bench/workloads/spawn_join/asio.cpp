#include "asio.h"

#include <vector>

namespace {

constexpr int batch = 1000;

[[gnu::noinline]] awaitable<int> child(int value) { co_return value + 1; }

awaitable<long> group(asio::io_context& context, long n) {
    long sum = 0;
    for (long done = 0; done < n; done += batch) {
        bench::Group group(context);
        for (int i = 0; i < batch; ++i) {
            group.enter();
            asio::co_spawn(context, child(i), [&](const std::exception_ptr&, int value) {
                sum += value;
                group.leave();
            });
        }
        co_await group.join();
    }
    co_return sum;
}

awaitable<long> gather(asio::io_context& context, long n) {
    using Operation = decltype(asio::co_spawn(context, child(0), asio::deferred));
    long sum = 0;
    for (long done = 0; done < n; done += batch) {
        std::vector<Operation> children;
        for (int i = 0; i < batch; ++i) children.push_back(asio::co_spawn(context, child(i), asio::deferred));
        auto all = asio::experimental::make_parallel_group(std::move(children));
        auto [order, errors, values] = co_await all.async_wait(asio::experimental::wait_for_all(), use_awaitable);
        for (int value : values) sum += value;
    }
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(
        argc, argv,
        {{"group", [](long n) { return bench::run([n](asio::io_context& context) { return group(context, n); }); }},
         {"gather", [](long n) { return bench::run([n](asio::io_context& context) { return gather(context, n); }); }}});
}
