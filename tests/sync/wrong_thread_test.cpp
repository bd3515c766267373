// In debug mode what belongs to a loop finds out that it is used in a thread that is not its loop's. Not for TSan: what
// is refused was looked at before, and stop() is only told of.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "support/run_test.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::outcome;

namespace {

/// What each use gave that did not throw as it should.
class Uses {
public:
    template <class Use>
    void operator()(const char* name, Use use) {
        std::string told = outcome([&] { return use(), 0; });
        if (told != "RuntimeError('Non-thread-safe operation invoked on an event loop other than the current one')") {
            passed.push_back(std::string(name) + ": " + told);
        }
    }
    std::vector<std::string> passed;
};
using Names = std::vector<std::string>;

Coro<> wait_for_release(Semaphore& semaphore) { co_await semaphore.acquire(); }
Coro<> wait_for_set(Event& event) { co_await event.wait(); }
Coro<> wait_for_lock(Lock& lock) {
    co_await lock.acquire();
    lock.release();
}
Coro<> wait_at(Barrier& barrier) {
    try {
        co_await barrier.wait();
    } catch (const BrokenBarrierError&) {
    }
}
Coro<> wait_for_notice(Condition& condition) {
    auto guard = co_await condition.guard();
    co_await condition.wait();
}
Coro<> get_none() { co_return; }
Coro<> get_one(Queue<int>& queue) { co_await queue.get(); }
Coro<> put_one(Queue<int>& queue) { co_await queue.put(7); }
Coro<> drain(const StreamWriter& writer) { co_await writer.drain(); }
Coro<> wait_closed(const StreamWriter& writer) { co_await writer.wait_closed(); }
Coro<> wait_closed(const Server& server) { co_await server.wait_closed(); }
Coro<> read_one(StreamReader& reader) { co_await reader.read(1); }
class Silent : public DatagramProtocol {};
Coro<DatagramTransport> bound_datagrams() {
    HostPort loopback("127.0.0.1", 0);
    auto [transport, protocol] = co_await create_datagram_endpoint([] { return Silent(); }, loopback);
    co_return transport;
}

TEST(WrongPlace, InDebugModeALoopsFunctionsAndHandlesThrowThere) {
    auto body = []() -> Coro<> {
        EventLoop& loop = get_running_loop();
        TimerHandle later = loop.call_later(60, [] {});
        Future<int> future = loop.create_future<int>();
        CallbackId callback = future.add_done_callback([](auto&&) {});
        Task<> task = create_task([]() -> Coro<> { co_await asyncio::sleep(60); });
        TaskGroup group;
        group.aenter();
        Timeout limit = timeout(60);
        limit.aenter();
        Uses uses;
        auto use = [&] {
            uses("call_soon", [&] { loop.call_soon([] {}); });
            uses("call_later", [&] { loop.call_later(1, [] {}); });
            uses("call_at", [&] { loop.call_at(TimePoint(), [] {}); });
            uses("TimerHandle.cancel", [&] { later.cancel(); });
            uses("add_done_callback", [&] { future.add_done_callback([](auto&&) {}); });
            uses("set_result", [&] { future.set_result(1); });
            uses("set_exception", [&] { future.set_exception(ValueError("x")); });
            uses("Future.cancel", [&] { future.cancel(); });
            uses("Task.cancel", [&] { task.cancel(); });
            uses("create_task", [&] { loop.create_task([]() -> Coro<> { co_return; }()); });
            uses("all_tasks", [&] { static_cast<void>(all_tasks(loop)); });
            uses("current_task", [&] { static_cast<void>(current_task(loop)); });
            uses("create_future", [&] { static_cast<void>(loop.create_future()); });
            uses("run_in_executor", [&] { static_cast<void>(loop.run_in_executor(nullptr, [] {})); });
            uses("add_reader", [&] { loop.add_reader(0, [] {}); });
            uses("remove_reader", [&] { loop.remove_reader(0); });
            uses("add_writer", [&] { loop.add_writer(1, [] {}); });
            uses("remove_writer", [&] { loop.remove_writer(1); });
            uses("add_signal_handler", [&] { loop.add_signal_handler(SIGUSR1, [] {}); });
            uses("remove_signal_handler", [&] { loop.remove_signal_handler(SIGUSR1); });
            uses("set_exception_handler", [&] { loop.set_exception_handler({}); });
            uses("call_exception_handler", [&] { loop.call_exception_handler(ExceptionContext()); });
            uses("set_task_factory", [&] { loop.set_task_factory({}); });
            uses("remove_done_callback", [&] { future.remove_done_callback(callback); });
            uses("gather", [&] { static_cast<void>(gather(future, future)); });
            uses("shield", [&] { static_cast<void>(shield(future)); });
            uses("uncancel", [&] { task.uncancel(); });
            uses("set_name", [&] { task.set_name("x"); });
            uses("get_context", [&] { task.get_context(); });
            uses("get_coro", [&] { task.get_coro(); });
            uses("get_stack", [&] { task.get_stack(); });
            uses("print_stack", [&] { task.print_stack(); });
            uses("TaskGroup.create_task", [&] { group.create_task([]() -> Coro<> { co_return; }()); });
            uses("TaskGroup.cancel", [&] { group.cancel(); });
            uses("Timeout.reschedule", [&] { limit.reschedule(std::nullopt); });
            uses("loop_metrics", [&] { loop_metrics(loop); });
            uses("find_deadlocks", [&] { find_deadlocks(loop); });
        };
        co_await to_thread(use);
        EXPECT_EQ(uses.passed, Names());
        EXPECT_FALSE(later.cancelled());
        EXPECT_FALSE(future.done());
        EXPECT_EQ(task.cancelling(), 0);
        limit.aexit(nullptr);
        co_await group.aexit(nullptr);
        later.cancel();
        task.cancel();
        co_await asyncio::wait(task);
    };
    run(body(), {.debug = true});
}

TEST(WrongPlace, InDebugModePrimitivesThatAreTheLoopsThrowThereAndDoNotChange) {
    auto body = []() -> Coro<> {
        Semaphore semaphore(0);
        Event event;
        Lock lock;
        co_await lock.acquire();
        Task<> acquires = create_task(wait_for_release(semaphore));
        Task<> waits = create_task(wait_for_set(event));
        Task<> locks = create_task(wait_for_lock(lock));
        co_await asyncio::sleep(0);
        Uses uses;
        auto use = [&] {
            uses("Semaphore.release", [&] { semaphore.release(); });
            uses("Event.set", [&] { event.set(); });
            uses("Event.clear", [&] { event.clear(); });
            uses("Lock.release", [&] { lock.release(); });
        };
        co_await to_thread(use);
        EXPECT_FALSE(event.is_set());
        EXPECT_TRUE(lock.locked());
        semaphore.release();
        event.set();
        lock.release();
        co_await gather(acquires, waits, locks);
        EXPECT_TRUE(semaphore.locked());
        event.clear();
        co_await lock.acquire();
        co_await to_thread(use);  // nobody waits now
        EXPECT_EQ(uses.passed, Names());
        EXPECT_TRUE(semaphore.locked());
        EXPECT_FALSE(event.is_set());
        EXPECT_TRUE(lock.locked());
        lock.release();
    };
    run(body(), {.debug = true});
}

// A queue, a barrier or a condition knows its loop when a task has had to wait for it.
TEST(WrongPlace, InDebugModeQueuesBarriersAndConditionsThrowThereAndDoNotChange) {
    auto body = []() -> Coro<> {
        Queue<int> queue(2);
        Barrier barrier(2);
        Condition condition;
        Task<> waits = create_task(wait_at(barrier));
        Task<> gets = create_task(get_one(queue));
        Task<> noticed = create_task(wait_for_notice(condition));
        co_await asyncio::sleep(0);
        Uses uses;
        auto use = [&] {
            uses("Queue.put_nowait", [&] { queue.put_nowait(1); });
            uses("Queue.get_nowait", [&] { queue.get_nowait(); });
            uses("Queue.task_done", [&] { queue.task_done(); });
            uses("Queue.shutdown", [&] { queue.shutdown(); });
            uses("Queue.shutdown(true)", [&] { queue.shutdown(true); });
            uses("Barrier.reset", [&] { barrier.reset().await_resume(); });
            uses("Barrier.abort", [&] { barrier.abort().await_resume(); });
            uses("Condition.notify", [&] { condition.notify(); });
            uses("Condition.notify_all", [&] { condition.notify_all(); });
            uses("put() of another loop's task", [&] { run(put_one(queue)); });
        };
        queue.put_nowait(1);
        co_await gather(gets, condition.acquire());
        queue.put_nowait(2);  // nobody waits now
        co_await to_thread(use);
        EXPECT_EQ(uses.passed, Names());
        EXPECT_EQ(queue.qsize(), 1U);
        EXPECT_EQ(barrier.n_waiting(), 1);
        EXPECT_FALSE(barrier.broken());
        EXPECT_FALSE(waits.done());
        condition.notify_all();
        condition.release();
        co_await barrier.reset();
        co_await gather(waits, noticed);
        co_await to_thread([&] {
            uses("Barrier.reset without waiters", [&] { barrier.reset().await_resume(); });
            uses("Barrier.abort without waiters", [&] { barrier.abort().await_resume(); });
        });
        EXPECT_EQ(uses.passed, Names());
        EXPECT_FALSE(barrier.broken());
    };
    run(body(), {.debug = true});
}

// A table of what streams, servers and transports are asked to do.
TEST(WrongPlace, InDebugModeStreamsServersAndTransportsThrowThereAndDoNotChange) {
    auto body = []() -> Coro<> {
        StreamWriter accepted;
        Event is_accepted;
        auto serve = [&](StreamReader, StreamWriter writer) -> Coro<> {
            accepted = writer;
            is_accepted.set();
            co_await writer.wait_closed();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).getsockname().port());
        co_await is_accepted.wait();
        Transport transport = writer.transport();
        ReadTransport reading = transport;
        DatagramTransport datagrams = co_await bound_datagrams();
        Uses uses;
        auto use = [&] {
            uses("StreamWriter.write", [&] { writer.write("x"); });
            uses("StreamWriter.writelines", [&] { writer.writelines(Names{"x", "y"}); });
            uses("StreamWriter.drain", [&] { run(drain(writer)); });
            uses("StreamWriter.wait_closed", [&] { run(wait_closed(writer)); });
            uses("StreamWriter.write_eof", [&] { writer.write_eof(); });
            uses("StreamWriter.close", [&] { writer.close(); });
            uses("StreamWriter.abort", [&] { writer.abort(); });
            uses("StreamWriter.set_write_buffer_limits", [&] { writer.set_write_buffer_limits(); });
            uses("StreamReader.read", [&] { run(read_one(reader)); });
            uses("Transport.write", [&] { transport.write("x"); });
            uses("Transport.writelines", [&] { transport.writelines(Names{"x", "y"}); });
            uses("Transport.write_eof", [&] { transport.write_eof(); });
            uses("Transport.close", [&] { transport.close(); });
            uses("Transport.abort", [&] { transport.abort(); });
            uses("Transport.pause_reading", [&] { transport.pause_reading(); });
            uses("Transport.resume_reading", [&] { transport.resume_reading(); });
            uses("Transport.set_protocol", [&] { transport.set_protocol(transport.get_protocol()); });
            uses("Transport.set_write_buffer_limits", [&] { transport.set_write_buffer_limits(); });
            uses("DatagramTransport.sendto", [&] { datagrams.sendto("x", SocketAddress("127.0.0.1", 9)); });
            uses("DatagramTransport.send_batch", [&] { datagrams.send_batch({}); });
            uses("DatagramTransport.send_segments", [&] { datagrams.send_segments("xy", 1); });
            uses("DatagramTransport.abort", [&] { datagrams.abort(); });
            uses("DatagramTransport.close", [&] { datagrams.close(); });
            uses("Server.close", [&] { server.close(); });
            uses("Server.close_clients", [&] { server.close_clients(); });
            uses("Server.abort_clients", [&] { server.abort_clients(); });
            uses("Server.start_serving", [&] { run(server.start_serving()); });
            uses("Server.wait_closed", [&] { run(wait_closed(server)); });
            uses("Server.serve_forever", [&] { run(server.serve_forever()); });
            uses("StreamReader.feed_data", [&] { reader.feed_data("x"); });
            uses("StreamReader.feed_eof", [&] { reader.feed_eof(); });
        };
        co_await to_thread(use);
        EXPECT_EQ(uses.passed, Names());
        EXPECT_TRUE(server.is_serving());
        EXPECT_FALSE(writer.is_closing());
        EXPECT_TRUE(transport.is_reading());
        EXPECT_FALSE(datagrams.is_closing());
        EXPECT_FALSE(reader.at_eof());
        writer.write("as before\n");
        datagrams.close();
        writer.close();
        accepted.close();
        server.close();
        co_await server.wait_closed();
    };
    run(body(), {.debug = true});
}

std::string told;

// The count of a handle's copies is not for several threads. A destructor cannot throw.
TEST(WrongPlace, InDebugModeAHandleThatGoesThereIsLogged) {
    LogHandler before = set_log_handler([](LogLevel, std::string_view message) { told += message; });
    std::string of_future;
    std::string of_task;
    std::string of_timer;
    std::string here;
    auto body = [&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        Future<int> future = loop.create_future<int>();
        Task<> task = create_task(get_none());
        TimerHandle later = loop.call_later(60, [] {});
        told.clear();
        co_await to_thread([&] { Future<int> copy = future; });
        of_future = std::exchange(told, "");
        co_await to_thread([&] { AnyTask copy = task; });
        of_task = std::exchange(told, "");
        co_await to_thread([&] { TimerHandle copy = later; });
        of_timer = std::exchange(told, "");
        {
            Future<int> copy = future;
            AnyTask another = task;
            Handle one_more = later;
        }
        later.cancel();
        co_await task;
        here = told;
    };
    run(body(), {.debug = true});
    set_log_handler(before);
    EXPECT_EQ(of_future,
              "Non-thread-safe operation: a handle of a Task or Future went in a thread that is not its loop's");
    EXPECT_EQ(of_task,
              "Non-thread-safe operation: a handle of a Task or Future went in a thread that is not its loop's");
    EXPECT_EQ(of_timer,
              "Non-thread-safe operation: a handle of a callback was copied in a thread that is not its loop's"
              "Non-thread-safe operation: a handle of a callback went in a thread that is not its loop's");
    EXPECT_EQ(here, "");
}

// It has to work in destructors, so it cannot throw.
TEST(WrongPlace, InDebugModeStopIsLoggedThere) {
    LogHandler before = set_log_handler([](LogLevel, std::string_view message) { told += message; });
    auto body = []() -> Coro<> {
        co_await to_thread([&loop = get_running_loop()] { loop.stop(); });
        EXPECT_TRUE(told.starts_with("Non-thread-safe operation: stop()")) << told;
    };
    try {
        run(body(), {.debug = true});
    } catch (const RuntimeError&) {  // it was stopped before its future was done, perhaps
    }
    set_log_handler(before);
    EXPECT_FALSE(told.empty());
}

}  // namespace
