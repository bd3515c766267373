// libuv has no tasks: a timer with a callback takes a sleeper's place.
#include <uv.h>

#include "bench.h"

namespace {

long sleepers(long n) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    bench::Random random;
    long count = 0;
    loop.data = &count;
    for (long i = 0; i < n; ++i) {
        auto* timer = new uv_timer_t;
        uv_timer_init(&loop, timer);
        auto due = [](uv_timer_t* due_timer) {
            ++*static_cast<long*>(due_timer->loop->data);
            auto destroy = [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); };
            uv_close(reinterpret_cast<uv_handle_t*>(due_timer), destroy);
        };
        uv_timer_start(timer, due, random.below(1000), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"sleepers", sleepers}}); }
