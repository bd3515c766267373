// A thousand callbacks, each of which schedules itself again.
#include <asyncio/asyncio.h>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr int callbacks = 1000;

struct Callback {
    EventLoop& loop;
    long left;
    long& count;

    void operator()() {
        ++count;
        if (--left > 0) {
            loop.call_soon(*this);
        } else if (count % callbacks == 0) {
            loop.stop();
        }
    }
};

long repeat(long n) {
    EventLoop loop;
    long count = 0;
    for (int i = 0; i < callbacks; ++i) loop.call_soon(Callback{loop, n / callbacks, count});
    loop.run_forever();
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"repeat", repeat}}); }
