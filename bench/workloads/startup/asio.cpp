#include "asio.h"

namespace {

awaitable<long> one() { co_return 1; }

long run_and_close(long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) sum += bench::run([](auto&) { return one(); });
    return sum;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"run", run_and_close}}); }
