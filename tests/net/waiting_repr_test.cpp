// What `repr(task)` says that the task waits for, where Python can only say that it is a future.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <coroutine>
#include <memory>
#include <string>
#include <string_view>

#include "net/stream_support.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::NetTest;
using support::run_net;

namespace {

using WaitingRepr = NetTest;

struct Never {
    explicit Never(std::coroutine_handle<>& place) : waiting(place) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { waiting = handle; }
    void await_resume() const {}
    std::coroutine_handle<>& waiting;
};

/// "Lock at" of `wait_for=<Lock at 0x7f5c>`.
template <class Body>
Coro<std::string> said_of(Body body) {
    Task<> task = create_task(body);
    co_await sleep(1ms);
    std::string text = repr(task);
    task.cancel();
    co_await wait(task);
    constexpr std::string_view begin = " wait_for=<";
    auto place = text.find(begin);
    if (place == text.npos) co_return text;
    text = text.substr(place + begin.size());
    co_return text.substr(0, text.find_first_of(">0123456789"));
}

TEST_F(WaitingRepr, NamesWhatIsWaitedFor) {
    run_net([]() -> Coro<> {
        Lock lock;
        Event event;
        Condition condition;
        Semaphore semaphore(0);
        Barrier barrier(2);
        Queue<int> queue;
        Future<> future = get_running_loop().create_future();
        co_await lock.acquire();
        std::string said = co_await said_of([]() -> Coro<> { co_await sleep(1h); });
        EXPECT_EQ(said, "sleep");
        said = co_await said_of([&]() -> Coro<> { co_await lock.acquire(); });
        EXPECT_EQ(said, "Lock at ");
        said = co_await said_of([&]() -> Coro<> { co_await event.wait(); });
        EXPECT_EQ(said, "Event at ");
        said = co_await said_of([&]() -> Coro<> {
            auto guard = co_await condition.guard();
            co_await condition.wait();
        });
        EXPECT_EQ(said, "Condition at ");
        said = co_await said_of([&]() -> Coro<> { co_await semaphore.acquire(); });
        EXPECT_EQ(said, "Semaphore at ");
        said = co_await said_of([&]() -> Coro<> { co_await barrier.wait(); });
        EXPECT_EQ(said, "Barrier at ");
        said = co_await said_of([&]() -> Coro<> { co_await queue.get(); });
        EXPECT_EQ(said, "Queue at ");
        said = co_await said_of([&]() -> Coro<> { co_await wait(future); });
        EXPECT_EQ(said, "several futures");
        said = co_await said_of([&]() -> Coro<> { co_await future; });
        EXPECT_EQ(said, "Future pending cb=[");
        said = co_await said_of(
            [&]() -> Coro<> { co_await with(TaskGroup(), [](TaskGroup& group) { group.create_task(sleep(1h)); }); });
        EXPECT_EQ(said, "TaskGroup at ");
    });
}

TEST_F(WaitingRepr, NamesDescriptorsServersThreadsAndOtherLibraries) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [first, second] = pair;
        Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
        std::coroutine_handle<> never;
        std::string said = co_await said_of([&]() -> Coro<> { co_await sock_recv(first, 1); });
        EXPECT_EQ(said, "file descriptor ");
        auto streams = co_await open_connection({.sock = &second});
        said = co_await said_of([&]() -> Coro<> { co_await streams.reader.read(1); });
        EXPECT_EQ(said, "file descriptor ");
        said = co_await said_of([&]() -> Coro<> { co_await server.wait_closed(); });
        EXPECT_EQ(said, "Server at ");
        said = co_await said_of([&]() -> Coro<> { co_await Never(never); });
        EXPECT_EQ(said, "foreign");
        auto gate = std::make_shared<support::Gate>();  // the call outlives the task that waits for it
        said = co_await said_of([&]() -> Coro<> { co_await to_thread(&support::Gate::wait, gate); });
        gate->open();
        EXPECT_EQ(said, "thread");
        never.resume();
        server.close();
    });
}

}  // namespace
