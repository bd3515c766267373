// Many that wait for one thing: woken in turn, all at once, or cancelled from the middle of the line.
#include <asyncio/asyncio.h>

#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<> take_turn(Lock& lock, long& count) {
    co_await lock.acquire();
    ++count;
    lock.release();
}
Coro<> take_slot(Semaphore& semaphore, long& count) {
    co_await semaphore.acquire();
    ++count;
    semaphore.release();
}
Coro<> wait_for(Event& event, long& count) {
    co_await event.wait();
    ++count;
}
Coro<> wait_for(Condition& condition, long& count) {
    co_await condition.acquire();
    co_await condition.wait();
    ++count;
    condition.release();
}
Coro<> wait_at(Barrier& barrier, long& count) {
    co_await barrier.wait();
    ++count;
}
Coro<> wait_for(Future<long> future, long& count) {
    long value = co_await future;
    count += value;
}

template <class What>
std::vector<Task<>> line(long n, Coro<> (*body)(What&, long&), What& what, long& count) {
    std::vector<Task<>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(body(what, count)));
    return tasks;
}

Coro<long> one_lock(long n) {
    long count = 0;
    Lock lock;
    co_await lock.acquire();
    auto tasks = line<Lock>(n, take_turn, lock, count);
    co_await sleep(0);
    lock.release();
    co_await wait(tasks);
    co_return count;
}

Coro<long> one_semaphore(long n) {
    long count = 0;
    Semaphore semaphore;
    co_await semaphore.acquire();
    auto tasks = line<Semaphore>(n, take_slot, semaphore, count);
    co_await sleep(0);
    semaphore.release();
    co_await wait(tasks);
    co_return count;
}

Coro<long> one_event(long n) {
    long count = 0;
    Event event;
    auto tasks = line<Event>(n, wait_for, event, count);
    co_await sleep(0);
    event.set();
    co_await wait(tasks);
    co_return count;
}

Coro<long> one_condition(long n) {
    long count = 0;
    Condition condition;
    auto tasks = line<Condition>(n, wait_for, condition, count);
    for (long i = 0; i < n + 2; ++i) co_await sleep(0);  // each has the lock for a pass
    co_await condition.acquire();
    condition.notify_all();
    condition.release();
    co_await wait(tasks);
    co_return count;
}

Coro<long> one_barrier(long n) {
    long count = 0;
    Barrier barrier(static_cast<int>(n));
    auto tasks = line<Barrier>(n, wait_at, barrier, count);
    co_await wait(tasks);
    co_return count;
}

Coro<long> one_future(long n) {
    long count = 0;
    auto future = get_running_loop().create_future<long>();
    std::vector<Task<>> tasks;
    for (long i = 0; i < n; ++i) tasks.push_back(create_task(wait_for(future, count)));
    co_await sleep(0);
    future.set_result(1);
    co_await wait(tasks);
    co_return count;
}

Coro<long> callbacks(long n) {
    long count = 0;
    auto future = get_running_loop().create_future<long>();
    for (long i = 0; i < n; ++i) future.add_done_callback([&count](const Future<long>&) { ++count; });
    future.set_result(1);
    co_await sleep(0);
    co_return count;
}

Coro<long> leave_the_line(long n) {
    long count = 0;
    Lock lock;
    co_await lock.acquire();
    auto tasks = line<Lock>(n, take_turn, lock, count);
    co_await sleep(0);
    for (auto task = tasks.rbegin(); task != tasks.rend(); ++task) task->cancel();
    co_await wait(tasks);
    for (const auto& task : tasks) count += task.cancelled();
    co_return count;
}

template <Coro<long> body(long)>
long in_loop(long n) {
    return run(body(n));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"lock", in_loop<one_lock>},
                        {"semaphore", in_loop<one_semaphore>},
                        {"event", in_loop<one_event>},
                        {"condition", in_loop<one_condition>},
                        {"barrier", in_loop<one_barrier>},
                        {"future", in_loop<one_future>},
                        {"done_callbacks", in_loop<callbacks>},
                        {"lock_cancelled", in_loop<leave_the_line>}});
}
