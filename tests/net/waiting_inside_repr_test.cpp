// What `repr(task)` says where a task waits inside of a coroutine of the library, for what the user cannot see.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "net/stream_support.h"
#include "support/said_of.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::connect_ends;
using support::Ends;
using support::run_net;
using support::said_of;
using support::said_without_line;

namespace {

class WaitingInsideReprExecutorTest : public support::NetTest {};

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

AsyncGenerator<int> numbers() {
    co_yield 1;
    co_await sleep(1h);
}

TEST_F(WaitingInsideReprExecutorTest, AServerThatServesSaysSo) {
    run_net([]() -> Coro<> {
        auto drop = [](StreamReader, StreamWriter) {};
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        std::string serving = repr(server);
        std::string said = co_await said_of([&]() -> Coro<> { co_await server.serve_forever(); });
        EXPECT_EQ(said, "<serving of " + serving + ">");
        Server other = co_await start_server(drop, "127.0.0.1", 0);
        auto forever = create_task(other.serve_forever());
        co_await sleep(1ms);
        EXPECT_NE(repr(forever).find(" coro=<asyncio::Server::serve_forever() running at "), std::string::npos)
            << repr(forever);
        std::vector<StackEntry> stack = forever.get_stack();
        EXPECT_EQ(stack.at(0).function, "asyncio::Server::serve_forever");
        forever.cancel();
        co_await wait(forever);
    });
}

TEST_F(WaitingInsideReprExecutorTest, ThreadsAndWhatTheyEnd) {
    run_net([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto gate = std::make_shared<support::Gate>();  // the call outlives the task that waits for it
        std::string said =
            co_await said_of([&]() -> Coro<> { co_await loop.run_in_executor(nullptr, &support::Gate::wait, gate); });
        EXPECT_EQ(said, "<call on another thread>");
        said = co_await said_of([&]() -> Coro<> {
            Future<> call = loop.run_in_executor(nullptr, &support::Gate::wait, gate);
            co_await wait_for(call, 1h);
        });
        EXPECT_EQ(said, "<call on another thread>");
        ConcurrentFuture<> elsewhere = run_coroutine_threadsafe(sleep(1h), loop);
        said = co_await said_of([&]() -> Coro<> { co_await wrap_future(elsewhere); });
        EXPECT_EQ(said, "<call on another thread>");
        elsewhere.cancel();
        co_await sleep(1ms);
        auto joining = create_task(loop.shutdown_default_executor());
        co_await sleep(1ms);
        EXPECT_NE(repr(joining).find("wait_for=<end of the threads of the default executor>"), std::string::npos)
            << repr(joining);
        gate->open();
        co_await joining;
    });
}

TEST_F(WaitingInsideReprExecutorTest, GeneratorsRacesShieldsAndStacks) {
    run_net([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        std::string said = co_await said_without_line([&]() -> Coro<> {
            AsyncGenerator<int> all = numbers();
            while (auto number = co_await all.next()) co_await sleep(0);
        });
        EXPECT_TRUE(said.starts_with("<sleep with 3599.9")) << said;
        Future<> never = loop.create_future();
        said = co_await said_of([&]() -> Coro<> { co_await shield(never); });
        EXPECT_EQ(said, "<Future pending shields=<Future pending cb=[1 callback]> cb=[2 callbacks]>");
        said = co_await said_without_line([&]() -> Coro<> {
            auto forever = []() -> Coro<int> {
                co_await sleep(1h);
                co_return 1;
            };
            std::vector<decltype(forever)> all(2, forever);
            co_await staggered_race(all, 1h);
        });
        EXPECT_EQ(said, "<staggered_race() with 2 tasks>");
        auto forever = []() -> Coro<int> {
            co_await sleep(1h);
            co_return 1;
        };
        std::vector<decltype(forever)> all(2, forever);
        auto race = create_task(staggered_race(all, 1h));
        co_await sleep(1ms);
        bool is_there = false;
        for (const AnyTask& task : all_tasks()) {
            std::string text = repr(task);
            EXPECT_EQ(text.find("asyncio::Race"), text.npos) << text;
            constexpr const char* failure = "wait_for=<failure of the coroutine before it in staggered_race()>";
            is_there = is_there || text.find(failure) != text.npos;
        }
        EXPECT_TRUE(is_there);
        race.cancel();
        co_await wait(race);
        said = co_await said_without_line([&]() -> Coro<> {
            AsyncExitStack stack;
            co_await stack.enter_async_context(timeout(1h));
            stack.push_async_callback([]() -> Coro<> { co_await sleep(1h); });
            co_await stack.aclose();
        });
        EXPECT_TRUE(said.starts_with("<sleep with 3599.9")) << said;
    });
}

TEST_F(WaitingInsideReprExecutorTest, ClosingGeneratorsAreCounted) {
    run_net([]() -> Coro<> {
        auto stubborn = []() -> AsyncGenerator<int> {
            std::exception_ptr error;
            try {
                co_yield 1;
            } catch (...) {
                error = std::current_exception();
            }
            co_await sleep(10ms);
            std::rethrow_exception(error);
        };
        AsyncGenerator<int> open = stubborn();
        co_await open.next();
        auto closing = create_task(get_running_loop().shutdown_asyncgens());
        co_await sleep(1ms);
        EXPECT_NE(repr(closing).find("wait_for=<end of 1 asynchronous generator>"), std::string::npos) << repr(closing);
        co_await closing;
    });
}

TEST_F(WaitingInsideReprExecutorTest, DescriptorsSayInWhatTheyAre) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        std::string number = std::to_string(ends.client.writer.get_extra_info("socket").socket().fileno());
        std::unique_ptr<std::FILE, FileCloser> file(std::tmpfile());
        std::fputs("text", file.get());
        std::fflush(file.get());
        ends.client.writer.write(std::string(64'000'000, 'x'));
        std::string said = co_await said_of(
            [&]() -> Coro<> { co_await sendfile(ends.client.writer.transport(), ::fileno(file.get())); });
        EXPECT_TRUE(said.starts_with("<file descriptor " + number + " in sendfile(), peer ")) << said;
        ends.client.writer.close();
        said = co_await said_of([&]() -> Coro<> { co_await ends.client.writer.wait_closed(); });
        EXPECT_TRUE(said.starts_with("<file descriptor " + number + " in wait_closed() with ")) << said;
        ends.client.writer.abort();
        ends.server.writer.abort();
        auto pair = socketpair();
        auto& [first, second] = pair;
        number = std::to_string(first.fileno());
        said = co_await said_of([&]() -> Coro<> { co_await sock_sendall(first, std::string(10'000'000, 'x')); });
        EXPECT_EQ(said, "<file descriptor " + number + " in sock_sendall()>");
        said = co_await said_without_line([&]() -> Coro<> { co_await sock_sendfile(first, ::fileno(file.get())); });
        EXPECT_EQ(said, "<file descriptor " + number + " in sock_sendfile()>");
        Socket listening = support::listener("127.0.0.1", 0);
        number = std::to_string(listening.fileno());
        said = co_await said_of([&]() -> Coro<> { co_await sock_accept(listening); });
        EXPECT_EQ(said, "<file descriptor " + number + " in sock_accept()>");
    });
}

TEST_F(WaitingInsideReprExecutorTest, ATaskOfAnAwaitableIsCalledAfterIt) {
    run_net([]() -> Coro<> {
        auto name_of = [](const auto& task) {
            task.cancel();
            return task.get_stack().front().function;
        };
        auto pair = socketpair();
        auto& [first, second] = pair;
        Socket listening = support::listener();
        Ends ends = co_await connect_ends();
        char byte[1];
        EXPECT_EQ(name_of(create_task(sock_recv(first, 1))), "asyncio::sock_recv");
        EXPECT_EQ(name_of(create_task(sock_recv_into(first, byte))), "asyncio::sock_recv_into");
        EXPECT_EQ(name_of(create_task(sock_recvfrom(first, 1))), "asyncio::sock_recvfrom");
        EXPECT_EQ(name_of(create_task(sock_sendall(first, "x"))), "asyncio::sock_sendall");
        EXPECT_EQ(name_of(create_task(sock_accept(listening))), "asyncio::sock_accept");
        EXPECT_EQ(name_of(create_task(sock_connect(first, listening.getsockname()))), "asyncio::sock_connect");
        EXPECT_EQ(name_of(create_task(ends.client.reader.readuntil("x"))), "asyncio::StreamReader::readuntil");
        EXPECT_EQ(name_of(create_task(ends.client.reader.read_into(byte))), "asyncio::StreamReader::read_into");
        EXPECT_EQ(name_of(create_task(ends.client.reader.next())), "asyncio::StreamReader::next");
        EXPECT_EQ(name_of(create_task(ends.client.writer.wait_closed())), "asyncio::StreamWriter::wait_closed");
        ends.client.writer.abort();
        ends.server.writer.abort();
        co_await sleep(1ms);
    });
}

TEST_F(WaitingInsideReprExecutorTest, ConnectingAndBeginning) {
    run_net([]() -> Coro<> {
        Socket listening = support::listener("127.0.0.1", 0);
        int port = listening.getsockname().port();
        std::vector<Task<Streams>> crowd;  // more than wait in its line
        for (int i = 0; i < 4; ++i) crowd.push_back(create_task(open_connection("127.0.0.1", port)));
        co_await sleep(20ms);
        std::string text = repr(crowd.back());
        EXPECT_NE(text.find(" coro=<asyncio::open_connection() running at "), text.npos) << text;
        EXPECT_NE(text.find(" in sock_connect()>"), text.npos) << text;
        for (const StackEntry& entry : crowd.back().get_stack()) {
            EXPECT_TRUE(entry.function == "asyncio::open_connection" || entry.function == "asyncio::create_connection")
                << entry.function;
        }
        for (Task<Streams>& one : crowd) one.cancel();
        co_await wait(crowd);
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        auto protocol = [] { return make_protocol<Protocol>(); };
        std::string said =
            co_await said_without_line([&]() -> Coro<> { co_await connect_read_pipe(protocol, ends[0]); }, 0s);
        EXPECT_EQ(said, "<file descriptor " + std::to_string(ends[0]) + " in the beginning of its transport>");
        ::close(ends[1]);
    });
}

}  // namespace
