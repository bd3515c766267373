// A task or a frame in another, n deep, that ends by returning, by an error and by being cancelled.
#include <asyncio/asyncio.h>

#include <stdexcept>

#include "bench.h"

using namespace asyncio;

namespace {

enum class End { value, error, cancelled };

Coro<long> innermost(End end) {
    if (end == End::error) throw std::runtime_error("the innermost fails");
    if (end == End::cancelled) co_await sleep(3600);
    co_return 1;
}

Coro<long> frames(long below, End end) {
    if (below == 0) co_return co_await innermost(end);
    long count = co_await frames(below - 1, end);
    co_return count + 1;
}

Coro<long> tasks(long below, End end) {
    if (below == 0) co_return co_await innermost(end);
    long count = co_await create_task(tasks(below - 1, end));
    co_return count + 1;
}

Coro<long> groups(long below, End end) {
    if (below == 0) co_return co_await innermost(end);
    Task<long> child;
    co_await with(TaskGroup(), [&](TaskGroup& group) { child = group.create_task(groups(below - 1, end)); });
    co_return child.result() + 1;
}

/// The same coroutine n deep, as a task. Gives how deep it was; an error or a cancellation leaves n.
Coro<long> ended(Coro<long> deep, long n, End end) {
    auto task = create_task(std::move(deep));
    if (end == End::cancelled) {
        for (long i = 0; i <= 2 * n + 2; ++i) co_await sleep(0);  // until the innermost waits
        task.cancel();
    }
    co_await wait(task);
    if (end == End::cancelled) co_return task.cancelled() ? n : -1;
    if (end == End::error) co_return task.exception() ? n : -1;
    co_return task.result() - 1;
}

template <Coro<long> deep(long, End), End end>
long run_to_the_end(long n) {
    return run(ended(deep(n, end), n, end));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"frames_return", run_to_the_end<frames, End::value>},
                        {"frames_throw", run_to_the_end<frames, End::error>},
                        {"frames_cancelled", run_to_the_end<frames, End::cancelled>},
                        {"tasks_return", run_to_the_end<tasks, End::value>},
                        {"tasks_throw", run_to_the_end<tasks, End::error>},
                        {"tasks_cancelled", run_to_the_end<tasks, End::cancelled>},
                        {"groups_return", run_to_the_end<groups, End::value>},
                        {"groups_throw", run_to_the_end<groups, End::error>},
                        {"groups_cancelled", run_to_the_end<groups, End::cancelled>}});
}
