#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::NetTest;
using support::port_of;
using support::Reports;
using support::run_net;

namespace {

using ServerTest = NetTest;

// CPython: test_streams.py, StreamTests.test_unhandled_exception
// CPython: test_streams.py, StreamTests.test_unhandled_exception_sync_callback
TEST_F(ServerTest, WhatACallbackThrowsIsReportedAndItsConnectionClosed) {
    auto coroutine = [](StreamReader reader, StreamWriter) -> Coro<> {
        co_await reader.read(1);
        throw ValueError("test");
    };
    auto plain = [](StreamReader, StreamWriter) { throw ValueError("test"); };
    for (bool is_plain : {false, true}) {
        run_net([&]() -> Coro<> {
            Reports reports;
            reports.listen(get_running_loop());
            Server server;
            if (is_plain) {
                server = co_await start_server(plain, "127.0.0.1", 0);
            } else {
                server = co_await start_server(coroutine, "127.0.0.1", 0);
            }
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            writer.write("test msg");
            try {
                co_await reader.read();
            } catch (const ConnectionResetError&) {  // it had something unread
            }
            writer.close();
            server.close();
            co_await server.wait_closed();
            EXPECT_EQ(reports.str(), "Unhandled exception in client_connected_cb: ValueError('test')");
            EXPECT_EQ(static_cast<bool>(reports.contexts.at(0).task), !is_plain);
            if (!is_plain) {
                EXPECT_EQ(reports.contexts[0].task.get_name().substr(0, 5), "Task-");
                EXPECT_FALSE(reports.stacks[0].empty());
            }
            EXPECT_EQ(reports.contexts[0].transport.substr(0, 25), "<_SelectorSocketTransport")
                << reports.contexts[0].transport;
            get_running_loop().set_exception_handler(nullptr);
        });
    }
}

// CPython: test_streams.py, StreamTests.test_unhandled_cancel
TEST_F(ServerTest, ACallbackThatIsCancelledIsNotReported) {
    run_net([]() -> Coro<> {
        Reports reports;
        reports.listen(get_running_loop());
        auto serve = [](StreamReader reader, StreamWriter) -> Coro<> {
            current_task().cancel();
            co_await reader.read();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await reader.read();
        EXPECT_EQ(text, "");
        writer.close();
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(reports.str(), "");
        get_running_loop().set_exception_handler(nullptr);
    });
}

ContextVar<std::string> user{"user", "nobody"};

TEST_F(ServerTest, ItsCallbacksSeeTheContextInWhichItBegan) {
    run_net([]() -> Coro<> {
        std::vector<std::string> seen;
        auto serve = [&](StreamReader, StreamWriter) -> Coro<> {
            seen.push_back(user.get());
            user.set("changed");
            co_return;
        };
        user.set("starter");
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        user.set("later");
        for (int i = 0; i < 2; ++i) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            co_await reader.read();
        }
        EXPECT_EQ(seen, (std::vector<std::string>{"starter", "starter"}));
        server.close();
    });
}

TEST_F(ServerTest, ACallbackLivesAsLongAsItsTasks) {
    run_net([]() -> Coro<> {
        std::string got;
        Server server;
        {
            auto serve = [&got, kept = std::string(100, 'x')](StreamReader reader, StreamWriter) -> Coro<> {
                got = co_await reader.read();
                got += kept;
            };
            server = co_await start_server(serve, "127.0.0.1", 0);
        }
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        co_await sleep(1ms);
        server.close();
        server = Server();
        writer.write("hello");
        writer.close();
        co_await reader.read();
        co_await sleep(1ms);
        EXPECT_EQ(got, "hello" + std::string(100, 'x'));
    });
}

class Counting {
public:
    Coro<> talk(StreamReader reader, StreamWriter writer) {
        std::string line = co_await reader.readline();
        writer.write(std::to_string(++count_) + " " + line);
    }
    void refuse(StreamReader, StreamWriter writer) { writer.write("no\n"); }

private:
    int count_ = 0;
};

TEST_F(ServerTest, AMethodAndItsObjectAreACallback) {
    run_net([]() -> Coro<> {
        auto ask = [](Server server) -> Coro<std::string> {
            auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
            writer.write("line\n");
            std::string answer = co_await reader.readline();
            writer.close();
            server.close();
            co_await server.wait_closed();
            co_return answer;
        };
        Counting counting;
        auto shared = std::make_shared<Counting>();
        const std::vector<std::string> hosts{"127.0.0.1"};
        Server by_pointer = co_await start_server(&Counting::talk, &counting, "127.0.0.1", 0);
        std::string first = co_await ask(by_pointer);
        EXPECT_EQ(first, "1 line\n");
        Server by_reference = co_await start_server(&Counting::talk, std::ref(counting), hosts, 0, {.backlog = 5});
        std::string second = co_await ask(by_reference);
        EXPECT_EQ(second, "2 line\n");
        Server kept = co_await start_server(&Counting::talk, std::move(shared), "127.0.0.1", 0);
        std::string third = co_await ask(kept);
        EXPECT_EQ(third, "1 line\n");
        Server plain = co_await start_server(&Counting::refuse, &counting, "127.0.0.1", 0);
        std::string refused = co_await ask(plain);
        EXPECT_EQ(refused, "no\n");
        std::string path("\0asyncio method", 15);
        Server here = co_await start_unix_server(&Counting::talk, &counting, path);
        auto [reader, writer] = co_await open_unix_connection(path);
        writer.write("here\n");
        std::string fourth = co_await reader.readline();
        EXPECT_EQ(fourth, "3 here\n");
        writer.close();
        here.close();
        co_await here.wait_closed();
    });
}

}  // namespace
