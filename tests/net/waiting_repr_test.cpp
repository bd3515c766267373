// What `repr(task)` says that the task waits for, where Python can only say that it is a future.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/stream_support.h"
#include "support/run_test.h"
#include "support/said_of.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::NetTest;
using support::run_net;
using support::run_test;
using support::said_of;

namespace {

using WaitingRepr = NetTest;

struct Never {
    explicit Never(std::coroutine_handle<>& place) : waiting(place) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { waiting = handle; }
    void await_resume() const {}
    std::coroutine_handle<>& waiting;
};

TEST_F(WaitingRepr, NamesWhatIsWaitedFor) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        std::string said = co_await said_of([]() -> Coro<> { co_await sleep(1h); });
        EXPECT_EQ(said, "<sleep with 3599.999 seconds left>");
        said = co_await said_of([&]() -> Coro<> { co_await loop.create_future(); });
        EXPECT_EQ(said, "<Future pending cb=[1 callback]>");
        said = co_await said_of([&]() -> Coro<> { co_await wait(loop.create_future()); });
        EXPECT_EQ(said, "<wait for 1 future, 1 pending>");
        said = co_await said_of([&]() -> Coro<> {
            Future<> done = loop.create_future();
            done.set_result();
            co_await wait(done, loop.create_future(), {.return_when = FIRST_EXCEPTION});
        });
        EXPECT_EQ(said, "<wait for the first failure of 2 futures, 1 pending>");
        said = co_await said_of([&]() -> Coro<> { co_await gather(loop.create_future(), sleep(1h)); });
        EXPECT_EQ(said, "<_GatheringFuture pending tasks=2 cb=[1 callback]>");
        said = co_await said_of([&]() -> Coro<> { co_await shield(loop.create_future()); });
        EXPECT_EQ(said, "<Future pending shields=<Future pending cb=[1 callback]> cb=[2 callbacks]>");
        said = co_await said_of([&]() -> Coro<> { co_await as_completed(loop.create_future()).next(); });
        EXPECT_EQ(said, "<as_completed() with 1 future pending>");
        said = co_await said_of(
            [&]() -> Coro<> { co_await with(TaskGroup(), [](TaskGroup& group) { group.create_task(sleep(1h)); }); });
        EXPECT_EQ(said, "<TaskGroup at ADDRESS tasks=1>");
        Task<> other = create_task(sleep(1h), {.name = "other"});
        said = co_await said_of([&]() -> Coro<> { co_await other; });
        EXPECT_TRUE(said.starts_with("<Task pending name='other' coro=<asyncio::sleep() running at ")) << said;
        EXPECT_TRUE(said.ends_with("wait_for=<sleep with 3599.999 seconds left> cb=[1 callback]>")) << said;
        other.cancel();
    });
}

TEST_F(WaitingRepr, NamesWhatIsLockedOrFullAndByWhom) {
    run_test([]() -> Coro<> {
        Lock lock;
        Event event;
        Condition condition;
        Semaphore semaphore(0);
        Barrier barrier(2);
        Queue<int> queue;
        Queue<int> full(1);
        full.put_nowait(1);
        current_task().set_name("holder");
        co_await lock.acquire();
        std::string said = co_await said_of([&]() -> Coro<> { co_await lock.acquire(); });
        EXPECT_EQ(said, "<Lock at ADDRESS locked by 'holder'>");
        said = co_await said_of([&]() -> Coro<> { co_await event.wait(); });
        EXPECT_EQ(said, "<Event at ADDRESS unset, waiters:1>");
        said = co_await said_of([&]() -> Coro<> {
            auto guard = co_await condition.guard();
            co_await condition.wait();
        });
        EXPECT_EQ(said, "<Condition at ADDRESS waiters:1>");
        said = co_await said_of([&]() -> Coro<> { co_await semaphore.acquire(); });
        EXPECT_EQ(said, "<Semaphore at ADDRESS locked, waiters:1>");
        said = co_await said_of([&]() -> Coro<> { co_await barrier.wait(); });
        EXPECT_EQ(said, "<Barrier at ADDRESS waiters:1/2>");
        said = co_await said_of([&]() -> Coro<> { co_await queue.get(); });
        EXPECT_EQ(said, "<Queue at ADDRESS in get(), items:0>");
        said = co_await said_of([&]() -> Coro<> { co_await full.put(2); });
        EXPECT_EQ(said, "<Queue at ADDRESS in put(), items:1/1>");
        said = co_await said_of([&]() -> Coro<> { co_await full.join(); });
        EXPECT_EQ(said, "<Queue at ADDRESS in join(), tasks:1>");
    });
}

TEST_F(WaitingRepr, KnowsALockWhoseOwnerIsOverAndAWaitForTheLockOfACondition) {
    run_test([]() -> Coro<> {
        Lock lock;
        Condition condition(lock);
        co_await create_task([&]() -> Coro<> { co_await lock.acquire(); });
        std::string said = co_await said_of([&]() -> Coro<> { co_await lock.acquire(); });
        EXPECT_EQ(said, "<Lock at ADDRESS locked by a task that is over>");
        lock.release();
        Task<> woken = create_task([&]() -> Coro<> {
            auto guard = co_await condition.guard();
            co_await condition.wait();
        });
        co_await sleep(1ms);
        current_task().set_name("notifier");
        co_await lock.acquire();
        condition.notify();
        co_await sleep(1ms);
        EXPECT_NE(repr(woken).find("locked by 'notifier'>"), std::string::npos) << repr(woken);
        lock.release();
        co_await woken;
    });
}

TEST_F(WaitingRepr, SaysThatWhatIsWaitedForHasDied) {
    run_test([]() -> Coro<> {
        auto event = std::make_unique<Event>();
        auto queue = std::make_unique<Queue<int>>();
        Task<> first = create_task([](Event* dies) -> Coro<> { co_await dies->wait(); }, event.get());
        Task<> second = create_task([](Queue<int>* dies) -> Coro<> { co_await dies->get(); }, queue.get());
        co_await sleep(0s);
        event.reset();
        queue.reset();
        EXPECT_NE(repr(first).find(" wait_for=<Event that was destroyed>"), std::string::npos) << repr(first);
        EXPECT_NE(repr(second).find(" wait_for=<Queue that was destroyed>"), std::string::npos) << repr(second);
        first.cancel();
        second.cancel();
    });
}

Coro<> inner(Event& event) { co_await event.wait(); }  // the line that the next test looks for
Coro<> outer(Event& event) { co_await inner(event); }

TEST_F(WaitingRepr, SaysWhereTheInnermostAwaitIs) {
    run_test([]() -> Coro<> {
        Event event;
        Task<> task = create_task(outer(event));
        co_await sleep(0s);
        std::string text = repr(task);
        std::vector<StackEntry> stack = task.get_stack();
        std::string place = " at " + stack.back().file + ":" + std::to_string(stack.back().line) + ">";
        EXPECT_EQ(stack.size(), 2U);
        EXPECT_TRUE(text.ends_with("waiters:1>" + place)) << text;
        event.set();
        co_await task;
    });
}

TEST_F(WaitingRepr, NamesDescriptorsServersThreadsAndOtherLibraries) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [first, second] = pair;
        std::optional<StreamReader> unread;  // what comes for a reader that is gone is thrown away, and so taken
        std::optional<StreamWriter> kept;
        auto keep = [&](StreamReader reader, StreamWriter writer) {
            unread = reader;
            kept = writer;
        };
        Server server = co_await start_server(keep, "127.0.0.1", 0);
        std::string peer = repr(server.sockets().at(0).getsockname());
        std::coroutine_handle<> never;
        std::string number = std::to_string(first.fileno());
        std::string said = co_await said_of([&]() -> Coro<> { co_await sock_recv(first, 1); });
        EXPECT_EQ(said, "<file descriptor " + number + " in sock_recv()>");
        said = co_await said_of([&]() -> Coro<> { co_await readable(first.fileno()); });
        EXPECT_EQ(said, "<file descriptor " + number + " in readable()>");
        auto streams = co_await open_connection("127.0.0.1", server.sockets().at(0).getsockname().port());
        number = std::to_string(streams.writer.get_extra_info("socket").socket().fileno());
        said = co_await said_of([&]() -> Coro<> { co_await streams.reader.readexactly(9); });
        EXPECT_EQ(said, "<file descriptor " + number + " in readexactly(), peer " + peer + ">");
        streams.writer.set_write_buffer_limits({.high = 0});
        std::string much(64'000'000, 'x');  // a kernel may take 33 MB of it
        streams.writer.write(much);
        said = co_await said_of([&]() -> Coro<> { co_await streams.writer.drain(); });
        EXPECT_TRUE(said.starts_with("<file descriptor " + number + " in drain() with ")) << said;
        EXPECT_TRUE(said.ends_with(" bytes to send, peer " + peer + ">")) << said;
        said = co_await said_of([&]() -> Coro<> { co_await server.wait_closed(); });
        EXPECT_EQ(said, "<Server at ADDRESS not closed>");
        said = co_await said_of([&]() -> Coro<> { co_await Never(never); });
        EXPECT_TRUE(said.starts_with("<foreign ") && said.find("Never") != said.npos) << said;
        auto gate = std::make_shared<support::Gate>();  // the call outlives the task that waits for it
        said = co_await said_of([&]() -> Coro<> { co_await to_thread(&support::Gate::wait, gate); });
        gate->open();
        EXPECT_TRUE(said.starts_with("<call on another thread>")) << said;
        never.resume();
        streams.writer.abort();
        kept->abort();
        server.close();
    });
}

}  // namespace
