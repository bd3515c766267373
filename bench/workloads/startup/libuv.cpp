// libuv has no coroutines: a callback takes its place.
#include <uv.h>

#include "bench.h"

namespace {

long run_and_close(long n) {
    long sum = 0;
    for (long i = 0; i < n; ++i) {
        uv_loop_t loop;
        uv_loop_init(&loop);
        loop.data = &sum;
        uv_timer_t timer;
        uv_timer_init(&loop, &timer);
        auto once = [](uv_timer_t* due) {
            ++*static_cast<long*>(due->loop->data);
            uv_close(reinterpret_cast<uv_handle_t*>(due), nullptr);
        };
        uv_timer_start(&timer, once, 0, 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
    }
    return sum;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"run", run_and_close}}); }
