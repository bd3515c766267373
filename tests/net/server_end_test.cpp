#include <asyncio/errors/os_errors.h>
#include <asyncio/loop/io_backend.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/async_exit_stack.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "net/stream_support.h"
#include "support/wrapped_backend.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Folder;
using support::NetTest;
using support::port_of;
using support::run_each_pass;
using support::run_net;

namespace {

using ServerEndTest = NetTest;

// In CPython it goes on serving, and nobody can close it.
TEST_F(ServerEndTest, AStartServerThatIsCancelledAtAnyPassDoesNotServe) {
    int reached_the_end = 0;
    for (int passes = 0; passes < 6; ++passes) {
        run_each_pass([&]() -> Coro<> {
            Socket socket = support::listener();
            SocketAddress address = socket.getsockname();
            auto serve = [&]() -> Coro<> {
                auto drop = [](StreamReader, StreamWriter) {};
                Server server = co_await start_server(drop, {.sock = &socket});
                ++reached_the_end;
                server.close();
            };
            auto serving = create_task(serve());
            for (int i = 0; i < passes; ++i) {
                co_await sleep(0s);
            }
            serving.cancel();
            co_await sleep(0s);
            co_await sleep(0s);
            EXPECT_TRUE(serving.done());
            if (socket) co_return;  // it had not begun
            Socket client(AddressFamily::INET);
            try {
                co_await sock_connect(client, address);
                ADD_FAILURE() << "cancelled after " << passes << " passes it serves";
            } catch (const ConnectionRefusedError&) {
            }
        });
    }
    EXPECT_GT(reached_the_end, 0);
    EXPECT_LT(reached_the_end, 6);
}

TEST_F(ServerEndTest, AStartUnixServerThatIsCancelledTakesItsPathAway) {
    Folder folder;
    run_each_pass([&]() -> Coro<> {
        auto drop = [](StreamReader, StreamWriter) {};
        auto serving = create_task(start_unix_server(drop, folder.path("sock")));
        co_await sleep(0s);
        EXPECT_EQ(::access(folder.path("sock").c_str(), F_OK), 0);
        serving.cancel();
        co_await sleep(0s);
        co_await sleep(0s);
        EXPECT_TRUE(serving.cancelled());
        EXPECT_NE(::access(folder.path("sock").c_str(), F_OK), 0);
    });
}

/// Cannot wait for connections, so many times.
class DeafBackend : public support::WrappedBackend {
public:
    int refusals = 0;
    bool submit(IoOperation& operation) noexcept override {
        if (operation.call != IoCall::accept || refusals == 0) return WrappedBackend::submit(operation);
        --refusals;
        operation.result = -ENOMEM;
        return true;
    }
};

TEST_F(ServerEndTest, AServerThatCannotBeginSaysSoAndMayTryAgain) {
    DeafBackend backend;
    auto amain = [&]() -> Coro<> {
        auto greet = [](StreamReader, StreamWriter writer) { writer.write("hello"); };
        backend.refusals = 1;
        std::string said;
        try {
            co_await start_server(greet, "127.0.0.1", 0);
        } catch (const OSError& error) {
            said = error.what();
        }
        EXPECT_EQ(said, "[Errno 12] Cannot allocate memory");
        StartServerOptions later{.start_serving = false};
        Server server = co_await start_server(greet, "127.0.0.1", 0, later);
        backend.refusals = 1;
        try {
            co_await server.start_serving();
            ADD_FAILURE();
        } catch (const OSError&) {
        }
        EXPECT_FALSE(server.is_serving());
        co_await server.start_serving();
        Streams streams = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await streams.reader.read();
        EXPECT_EQ(text, "hello");
        server.close();
        co_await server.wait_closed();
    };
    EventLoop loop({.io_backend = backend});
    loop.run_until_complete(amain());
}

/// Destroys what is given away.
template <class T>
void drop(T object) {
    static_cast<void>(object);
}

/// What a callback captures.
struct Held {
    explicit Held(int& count) : alive(count) { ++alive; }
    ~Held() { --alive; }
    int& alive;
    Server server;
};

TEST_F(ServerEndTest, AClosedServerLetsGoOfItsCallbackAndSoOfItself) {
    int alive = 0;
    run_net([&]() -> Coro<> {
        auto held = std::make_shared<Held>(alive);
        auto serve = [held](StreamReader, StreamWriter writer) -> Coro<> {
            writer.write("bye");
            held->server.close();
            co_return;
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        held->server = server;  // a circle
        held.reset();
        drop(std::move(serve));
        Streams streams = co_await open_connection("127.0.0.1", port_of(server));
        std::string text = co_await streams.reader.read();
        EXPECT_EQ(text, "bye");
        co_await server.wait_closed();
        EXPECT_EQ(alive, 0);
        EXPECT_FALSE(server.is_serving());
    });
    EXPECT_EQ(alive, 0);
}

TEST_F(ServerEndTest, ItLetsGoWhenItIsClosedEvenIfConnectionsGoOn) {
    int alive = 0;
    run_net([&]() -> Coro<> {
        Event got_one;
        StreamWriter kept;
        auto held = std::make_shared<Held>(alive);
        auto serve = [&, held](StreamReader, StreamWriter writer) {
            kept = writer;
            got_one.set();
        };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        held.reset();
        Streams streams = co_await open_connection("127.0.0.1", port_of(server));
        co_await got_one.wait();
        EXPECT_EQ(alive, 1);
        drop(std::move(serve));
        EXPECT_EQ(alive, 1);
        server.close();
        EXPECT_EQ(alive, 0);
        kept.write("still there");
        std::string text = co_await streams.reader.read(100);
        EXPECT_EQ(text, "still there");
    });
}

TEST_F(ServerEndTest, AConnectionThatWasAcceptedBeforeTheCloseIsStillTold) {
    int told = 0;
    run_each_pass([&]() -> Coro<> {
        auto serve = [&](StreamReader, StreamWriter) { ++told; };
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        Socket client(AddressFamily::INET);
        co_await sock_connect(client, server.sockets()[0].getsockname());
        co_await sleep(0s);  // in this pass it is accepted, in one of the next it is told
        server.close();
        for (int i = 0; i < 5; ++i) {
            co_await sleep(0s);
        }
        EXPECT_EQ(told, 1);
        co_await server.wait_closed();
    });
}

TEST_F(ServerEndTest, ALoopThatIsClosedLetsGoOfItsServersCallbacks) {
    int alive = 0;
    run_net([&]() -> Coro<> {
        auto held = std::make_shared<Held>(alive);
        auto serve = [held](StreamReader, StreamWriter) {};
        held->server = co_await start_server(serve, "127.0.0.1", 0);
        held.reset();
        drop(std::move(serve));
        EXPECT_EQ(alive, 1);
    });
    EXPECT_EQ(alive, 0);
}

// As in Python, where the block of an AsyncExitStack starts the servers that it enters: the handle goes first.
TEST_F(ServerEndTest, AStackKeepsAServerThatItsBlockHasMade) {
    run_net([]() -> Coro<> {
        auto drop = [](StreamReader, StreamWriter) {};
        Server entered, pushed;
        co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
            Server first = co_await start_server(drop, "127.0.0.1", 0);
            Server& same = co_await stack.enter_async_context(first);
            EXPECT_TRUE(same == first);
            Server second = co_await start_server(drop, "127.0.0.1", 0);
            stack.push_async_exit(second);
            entered = first;
            pushed = second;
        });
        EXPECT_FALSE(entered.is_serving());
        EXPECT_FALSE(pushed.is_serving());
    });
}

TEST_F(ServerEndTest, ABlockKeepsAServerWhoseHandleIsGone) {
    run_net([]() -> Coro<> {
        auto drop = [](StreamReader, StreamWriter) {};
        Server server = co_await start_server(drop, "127.0.0.1", 0);
        auto serve = [](Server handle) {
            return with(handle, [](Server& serving) -> Coro<bool> {
                co_await sleep(0s);
                co_return serving.is_serving();
            });
        };
        Coro<bool> block = serve(server);
        bool served = co_await block;
        EXPECT_TRUE(served);
        EXPECT_FALSE(server.is_serving());
    });
}

}  // namespace
