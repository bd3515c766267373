#include "asio.h"

namespace {

constexpr long depth = 1000;

[[gnu::noinline]] awaitable<long> next(long value) { co_return value + 1; }

awaitable<long> child(long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) {
        long value = co_await next(i & 7);
        sum += value;
    }
    co_return sum;
}

awaitable<long> recurse(long below) {
    if (below == 0) co_return 0;
    long frames = co_await recurse(below - 1);
    co_return frames + 1;
}

awaitable<long> deep(long n) {
    long sum = 0;
    for (long i = 0; i < n; i += depth) {
        long frames = co_await recurse(depth);
        sum += frames;
    }
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"child", [](long n) { return bench::run([n](auto&) { return child(n); }); }},
                        {"deep", [](long n) { return bench::run([n](auto&) { return deep(n); }); }}});
}
