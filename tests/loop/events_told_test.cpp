// What a wait has named is told, though it fails.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "support/wrapped_backend.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

class Backend final : public support::WrappedBackend {
public:
    bool wait_fails = false;
    bool watch_fails = false;

    void watch(int fd, bool readable, bool writable) override {
        if (watch_fails) throw OSError(ENOMEM);
        WrappedBackend::watch(fd, readable, writable);
    }

    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override {
        WrappedBackend::wait(timeout, events);
        if (wait_fails && !events.empty()) throw OSError(ENOMEM);
    }
};

Coro<std::string> receive(Socket& socket) { co_return co_await sock_recv(socket, 10); }
Coro<> pass() { co_await asyncio::sleep(0); }

TEST(EventsTold, ThoughTheWaitThatNamesThemFails) {
    Backend backend;
    EventLoop loop({.io_backend = backend});
    auto [first, second] = socketpair();
    auto receiving = loop.create_task(receive(first));
    for (int i = 0; i < 3; ++i) loop.run_until_complete(pass());
    ASSERT_EQ(::send(second.fileno(), "b", 1, 0), 1);
    backend.wait_fails = true;
    EXPECT_THROW(loop.run_until_complete(receiving), OSError);
    backend.wait_fails = false;
    EXPECT_EQ(loop.run_until_complete(wait_for(receiving, 5s)), "b");
}

TEST(EventsTold, ThoughAWatchThatWasNamedBeforeThemCannotBeEnded) {
    Backend backend;
    EventLoop loop({.io_backend = backend});
    auto [watched, trigger] = socketpair();
    auto [first, second] = socketpair();
    auto receiving = loop.create_task(receive(first));
    for (int i = 0; i < 3; ++i) loop.run_until_complete(pass());
    loop.set_exception_handler([&, fd = second.fileno()](EventLoop&, const ExceptionContext& context) {
        Handle(context.handle).cancel();  // at the next event it is noticed
        backend.watch_fails = true;
        EXPECT_EQ(::send(fd, "b", 1, 0), 1);
    });
    loop.add_reader(watched.fileno(), [] { throw ValueError("once is enough"); });
    ASSERT_EQ(::send(trigger.fileno(), "a", 1, 0), 1);
    EXPECT_EQ(loop.run_until_complete(wait_for(receiving, 5s)), "b");
    backend.watch_fails = false;
}

}  // namespace
