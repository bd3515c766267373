// W5: bytes of resident memory for each task that is parked in sleep() or on a future.
#include "workload.h"

#include <unistd.h>
#include <cstdio>

namespace {

constexpr int parked = 200'000;

double resident_bytes() {
    long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

asyncio::Coro<> nap() { co_await asyncio::sleep(3600); }
asyncio::Coro<> wait_for(asyncio::Future<> future) { co_await future; }

asyncio::Coro<double> park(bool on_future) {
    auto future = asyncio::get_running_loop().create_future<>();
    double before = resident_bytes();
    for (int i = 0; i < parked; ++i) asyncio::create_task(on_future ? wait_for(future) : nap());
    co_await asyncio::sleep(0);
    co_await asyncio::sleep(0);
    double after = resident_bytes();
    co_return (after - before) / parked;
}

// Freed memory stays with the process, so a second measurement would see none taken: one each, in a process of its own.
template <bool OnFuture>
void bytes_of_a_parked_task(benchmark::State& state) {
    for (auto _ : state) {
        int pipe_ends[2];
        double bytes = 0;
        if (::pipe(pipe_ends) != 0) return state.SkipWithError("no pipe");
        pid_t child = ::fork();
        if (child == 0) {
            double measured = asyncio::run(park(OnFuture));
            if (::write(pipe_ends[1], &measured, sizeof measured) < 0) ::_exit(1);
            ::_exit(0);
        }
        if (::read(pipe_ends[0], &bytes, sizeof bytes) != sizeof bytes) state.SkipWithError("no figure");
        ::close(pipe_ends[0]);
        ::close(pipe_ends[1]);
        state.counters["bytes"] = bytes;
    }
}
BENCHMARK(bytes_of_a_parked_task<false>)
    ->Name("bytes_of_a_task_in_sleep")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(bytes_of_a_parked_task<true>)
    ->Name("bytes_of_a_task_on_a_future")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
