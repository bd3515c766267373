// Three asynchronous generators in a row: each item is made when the last one asks for it, and whoever stops asking
// closes the first one, whose clean-up waits for something, too.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <exception>

using namespace std::chrono_literals;
using asyncio::AsyncGenerator;

AsyncGenerator<int> temperatures() {
    std::puts("sensor on");
    std::exception_ptr thrown;  // what is `finally` in Python: a handler may not await
    try {
        for (int celsius : {18, 20, 25, 19, 31, 33, 22, 20}) {
            co_await asyncio::sleep(0s);
            co_yield celsius;
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await asyncio::sleep(0s);
    std::puts("sensor off");
    if (thrown) std::rethrow_exception(thrown);
}

AsyncGenerator<double> in_fahrenheit(AsyncGenerator<int>& source) {
    while (auto celsius = co_await source.next()) co_yield *celsius * 9.0 / 5 + 32;
}

AsyncGenerator<double> averages(AsyncGenerator<double> source, int size) {
    double sum = 0;
    int count = 0;
    while (auto value = co_await source.next()) {
        sum += *value;
        if (++count < size) continue;
        co_yield sum / size;
        sum = count = 0;
    }
}

asyncio::Coro<> amain() {
    auto first = temperatures();
    auto all = averages(in_fahrenheit(first), 2);
    while (auto average = co_await all.next()) std::printf("average: %.1f\n", *average);

    auto sensor = temperatures();
    auto some = averages(in_fahrenheit(sensor), 2);
    while (auto average = co_await some.next()) {
        std::printf("average: %.1f\n", *average);
        if (*average > 70) {
            std::puts("too warm, that will do");
            break;
        }
    }
    co_await sensor.aclose();
    std::puts("closed");
}

int main() { asyncio::run(amain()); }
