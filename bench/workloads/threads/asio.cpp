#include "asio.h"

#include <thread>

namespace {

awaitable<long> next(long value) { co_return value + 1; }

long round_trip(long n) {
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::thread thread([&] { context.run(); });
    long sum = 0;
    for (long i = 0; i < n; ++i) sum += asio::co_spawn(context, next(0), asio::use_future).get();
    work.reset();
    thread.join();
    return sum;
}

long post(long n) {
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::thread thread([&] { context.run(); });
    long count = 0;
    for (long i = 0; i < n; ++i) {
        asio::post(context, [&count, &work, n] {
            if (++count == n) work.reset();
        });
    }
    thread.join();
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"round_trip", round_trip}, {"post", post}}); }
