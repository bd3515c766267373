// Programs about tasks that wait for each other.
#include <asyncio/asyncio.h>

#include <string>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const char* const long_text = "a text that is too long for the room inside a string";

Coro<> locks() {
    Lock lock;
    Semaphore semaphore(2);
    BoundedSemaphore bounded(1);
    int inside = 0;
    auto enter = [&]() -> Coro<> {
        auto guard = co_await lock.guard();
        co_await sleep(1ms);
        auto place = co_await semaphore.guard();
        co_await bounded.acquire();
        bounded.release();
        ++inside;
    };
    co_await with(TaskGroup{}, [&](TaskGroup& group) {
        for (int i = 0; i < 3; ++i) group.create_task(enter);
    });
    expect(inside == 3 && !lock.locked(), "the tasks that had the lock");
}

Coro<> lock_of_a_cancelled_task() {
    Lock lock;
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        auto hold = [&]() -> Coro<> {
            auto guard = co_await lock.guard();
            co_await sleep(10ms);
        };
        group.create_task(hold);
        auto second = group.create_task(hold);
        auto third = group.create_task(hold);
        co_await sleep(1ms);
        second.cancel(long_text);
    });
    expect(!lock.locked(), "the lock that everybody has left");
}

Coro<> events_and_conditions() {
    Event event;
    Condition condition;
    bool ready = false;
    int woken = 0;
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        auto wait_for_event = [&]() -> Coro<> {
            co_await event.wait();
            ++woken;
        };
        auto wait_for_condition = [&]() -> Coro<> {
            auto guard = co_await condition.guard();
            co_await condition.wait_for([&] { return ready; });
            ++woken;
        };
        group.create_task(wait_for_event);
        group.create_task(wait_for_condition);
        group.create_task(wait_for_condition);
        co_await sleep(1ms);
        event.set();
        auto guard = co_await condition.guard();
        ready = true;
        condition.notify_all();
    });
    expect(woken == 3, "the tasks that were woken");
}

Coro<> barriers() {
    Barrier barrier(3);
    int passed = 0;
    co_await with(TaskGroup{}, [&](TaskGroup& group) {
        auto meet = [&]() -> Coro<> {
            co_await barrier.wait();
            ++passed;
        };
        for (int i = 0; i < 3; ++i) group.create_task(meet);
    });
    expect(passed == 3, "the tasks that passed the barrier");
    Barrier broken(2);
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> {
            try {
                co_await broken.wait();
            } catch (const BrokenBarrierError&) {
                ++passed;
            }
        });
        co_await sleep(1ms);
        co_await broken.abort();
    });
    expect(passed == 4, "the task at the broken barrier");
}

Coro<> queues() {
    Queue<std::string> queue(1);
    int got = 0;
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> {
            for (int i = 0; i < 10; ++i) {
                std::string item = co_await queue.get();
                if (item == long_text) ++got;
                queue.task_done();
            }
        });
        for (int i = 0; i < 10; ++i) co_await queue.put(long_text);
        co_await queue.join();
    });
    expect(got == 10, "what came through the queue");
}

Coro<> other_queues() {
    PriorityQueue<int> smallest;
    LifoQueue<std::string> newest;
    for (int i = 0; i < 20; ++i) {
        smallest.put_nowait(20 - i);
        newest.put_nowait(long_text);
    }
    int first = co_await smallest.get();
    std::string last = co_await newest.get();
    expect(first == 1 && last == long_text, "what other queues give");
    Queue<int> shut;
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        group.create_task([&]() -> Coro<> {
            try {
                co_await shut.get();
                expect(false, "an item of an empty queue");
            } catch (const QueueShutDown&) {
            }
        });
        co_await sleep(1ms);
        shut.shutdown();
    });
}

}  // namespace

std::vector<Program> sync_programs() {
    return {{"locks", locks},
            {"lock_of_a_cancelled_task", lock_of_a_cancelled_task},
            {"events_and_conditions", events_and_conditions},
            {"barriers", barriers},
            {"queues", queues},
            {"other_queues", other_queues}};
}

}  // namespace faults
