// Names of locks, queues and the like.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;

namespace {

Coro<> take(Queue<int>& queue) { co_await queue.get(); }
Coro<> acquire(Lock& lock) { co_await lock.acquire(); }

TEST(Named, IsInTheReprOfATaskThatWaits) {
    run([]() -> Coro<> {
        Named<Queue<int>> jobs("jobs", 8);
        Queue<int> others(8);
        Task<> one = create_task(take(jobs));
        Task<> two = create_task(take(others));
        co_await sleep(0);
        EXPECT_NE(repr(one).find(" wait_for=<Queue 'jobs' at 0x"), std::string::npos) << repr(one);
        EXPECT_NE(repr(one).find(" in get(), items:0/8>"), std::string::npos) << repr(one);
        EXPECT_NE(repr(two).find(" wait_for=<Queue at 0x"), std::string::npos) << repr(two);
        EXPECT_EQ(jobs.name(), "jobs");
        EXPECT_EQ(jobs.maxsize(), 8);
        one.cancel();
        two.cancel();
    }());
}

TEST(Named, IsWhateverTasksWaitFor) {
    run([]() -> Coro<> {
        Named<Lock> lock("a lock");
        Named<Event> event("an event");
        Named<Condition> condition("a condition");
        Named<Semaphore> semaphore("a semaphore", 0);
        Named<BoundedSemaphore> bounded("a bounded one", 1);
        Named<Barrier> barrier("a barrier", 2);
        Named<PriorityQueue<int>> queue("a queue");
        co_await lock.acquire();
        co_await bounded.acquire();
        co_await condition.acquire();
        std::vector<Task<>> tasks;
        auto waits = [&](auto wait) { tasks.push_back(create_task(std::move(wait))); };
        waits([&]() -> Coro<> { co_await lock.acquire(); });
        waits([&]() -> Coro<> { co_await event.wait(); });
        waits([&]() -> Coro<> {
            co_await condition.acquire();
            co_await condition.wait();
        });
        waits([&]() -> Coro<> { co_await semaphore.acquire(); });
        waits([&]() -> Coro<> { co_await bounded.acquire(); });
        waits([&]() -> Coro<> { co_await barrier.wait(); });
        waits([&]() -> Coro<> { co_await queue.get(); });
        condition.release();
        for (int i = 0; i < 3; ++i) co_await sleep(0);
        const char* names[] = {"<Lock 'a lock' at 0x",           "<Event 'an event' at 0x",
                               "<Condition 'a condition' at 0x", "<Semaphore 'a semaphore' at 0x",
                               "<Semaphore 'a bounded one' at",  "<Barrier 'a barrier' at 0x",
                               "<Queue 'a queue' at 0x"};
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            EXPECT_NE(repr(tasks[i]).find(names[i]), std::string::npos) << repr(tasks[i]);
            tasks[i].cancel();
        }
        co_await wait(tasks);
    }());
}

struct Closing : Queue<int> {  // whose queue does not begin where it begins
    virtual ~Closing() = default;
};

TEST(Named, IsOfWhatIsInsideOfTheObject) {
    run([]() -> Coro<> {
        Named<Closing> jobs("jobs");
        Task<> task = create_task(take(jobs));
        co_await sleep(0);
        EXPECT_NE(repr(task).find("<Queue 'jobs' at 0x"), std::string::npos) << repr(task);
        task.cancel();
        co_await wait(task);
    }());
}

TEST(Named, IsForgottenWithItsObject) {
    run([]() -> Coro<> {
        void* place = ::operator new(sizeof(Named<Event>));
        auto* named = new (place) Named<Event>("first");
        named->~Named();
        auto* event = new (place) Event();
        Task<> task = create_task([](Event& of) -> Coro<> { co_await of.wait(); }, std::ref(*event));
        co_await sleep(0);
        EXPECT_EQ(repr(task).find("first"), std::string::npos) << repr(task);
        task.cancel();
        co_await wait(task);
        event->~Event();
        ::operator delete(place);
    }());
}

TEST(Named, IsInTheReportOfADeadlockAndInTheCallGraph) {
    std::string text;
    std::string graph;
    auto body = [&]() -> Coro<> {
        Named<Lock> lock("the till");
        co_await lock.acquire();
        Task<> task = create_task(acquire(lock));
        co_await sleep(0);
        graph = format_call_graph(task, {.waits_for = true});
        co_await lock.acquire();
    };
    try {
        run(body(), {.on_deadlock = OnDeadlock::raise});
    } catch (const DeadlockError& error) {
        text = error.what();
    }
    EXPECT_NE(text.find("<Lock 'the till' at 0x"), std::string::npos) << text;
    EXPECT_NE(graph.find("<Lock 'the till' at 0x"), std::string::npos) << graph;
}

TEST(NamedByAThread, MayComeAndGoWhileAnotherLooks) {
    run([]() -> Coro<> {
        Named<Event> event("what is waited for");
        Task<> task = create_task([](Event& of) -> Coro<> { co_await of.wait(); }, std::ref<Event>(event));
        co_await sleep(0);
        std::thread other([] {
            for (int i = 0; i < 2000; ++i) Named<Lock> lock("a lock of a thread");
        });
        for (int i = 0; i < 200; ++i)
            EXPECT_NE(repr(task).find("'what is waited for'"), std::string::npos) << repr(task);
        other.join();
        task.cancel();
    }());
}

}  // namespace
