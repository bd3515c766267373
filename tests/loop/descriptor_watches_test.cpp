#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/run_test.h"
#include "support/sleep_watch.h"
#include "support/wrapped_backend.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::outcome;
using support::run_test;

namespace {

using asyncio::sleep;  // not the one of <unistd.h>

class Fds {
public:
    static Fds pipe() {
        Fds fds;
        EXPECT_EQ(pipe2(fds.ends, O_NONBLOCK | O_CLOEXEC), 0);
        return fds;
    }
    static Fds sockets() {
        Fds fds;
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.ends), 0);
        return fds;
    }
    Fds(Fds&& other) noexcept : ends{std::exchange(other.ends[0], -1), std::exchange(other.ends[1], -1)} {}
    ~Fds() {
        close_end(0);
        close_end(1);
    }
    void close_end(int which) {
        if (ends[which] >= 0) ::close(std::exchange(ends[which], -1));
    }
    int ends[2] = {-1, -1};

private:
    Fds() = default;
};

void put(int fd, const std::string& text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}
std::string take(int fd, std::size_t most = 100) {
    std::string text(most, '\0');
    ssize_t size = ::read(fd, text.data(), most);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

// CPython: test_events.py, EventLoopTestsMixin.test_reader_callback
TEST(FdCallbacks, AReaderIsCalledAsLongAsThereIsSomethingToReadAndUntilItIsRemoved) {
    Fds fds = Fds::pipe();
    std::string text;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.add_reader(
            fds.ends[0], [&](int fd) { text += take(fd, 1) + ","; }, fds.ends[0]);
        put(fds.ends[1], "abc");
        co_await sleep(1s);
        EXPECT_EQ(text, "a,b,c,");
        EXPECT_TRUE(loop.remove_reader(fds.ends[0]));
        EXPECT_FALSE(loop.remove_reader(fds.ends[0]));
        put(fds.ends[1], "d");
        co_await sleep(1s);
        EXPECT_EQ(text, "a,b,c,");
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_writer_callback
TEST(FdCallbacks, AWriterIsCalledWhenThereIsRoomAndMayRemoveItself) {
    Fds fds = Fds::pipe();
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        int calls = 0;
        loop.add_writer(fds.ends[1], [&, kept = std::string(100, 'x')] {
            if (++calls == 3) loop.remove_writer(fds.ends[1]);
            EXPECT_EQ(kept.size(), 100u);  // it is still there
        });
        co_await sleep(1s);
        EXPECT_EQ(calls, 3);
        EXPECT_FALSE(loop.remove_writer(fds.ends[1]));
    });
}

TEST(FdCallbacks, AnotherReaderReplacesTheFirstEvenInTheSamePass) {
    Fds fds = Fds::pipe();
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        std::string order;
        loop.add_reader(fds.ends[0], [&] {
            order += 'a';
            loop.add_reader(fds.ends[0], [&] {
                order += 'b';
                take(fds.ends[0]);
            });
        });
        put(fds.ends[1], "x");
        co_await sleep(1s);
        EXPECT_EQ(order, "ab");
        loop.remove_reader(fds.ends[0]);
    });
}

TEST(FdCallbacks, BothDirectionsOfASocketAreIndependent) {
    Fds fds = Fds::sockets();
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        int fd = fds.ends[0];
        std::string order;
        loop.add_reader(fd, [&] { order += take(fd); });
        loop.add_writer(fd, [&] {
            order += 'w';
            EXPECT_TRUE(loop.remove_writer(fd));
        });
        put(fds.ends[1], "r");
        co_await sleep(1s);
        EXPECT_EQ(order, "rw");  // CPython: the reader's callback is queued first
        put(fds.ends[1], "s");
        co_await sleep(1s);
        EXPECT_EQ(order, "rws");
        loop.add_writer(fd, [&] {
            order += 'v';
            loop.remove_writer(fd);
        });
        EXPECT_TRUE(loop.remove_reader(fd));
        put(fds.ends[1], "t");
        co_await sleep(1s);
        EXPECT_EQ(order, "rwsv");
    });
}

TEST(FdCallbacks, AReaderRemovedByAnEarlierCallbackOfThePassIsNotCalled) {
    Fds first = Fds::pipe();
    Fds second = Fds::pipe();
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        int calls = 0;
        auto remove_both = [&] {
            ++calls;
            loop.remove_reader(first.ends[0]);
            loop.remove_reader(second.ends[0]);
        };
        loop.add_reader(first.ends[0], remove_both);
        loop.add_reader(second.ends[0], remove_both);
        put(first.ends[1], "x");
        put(second.ends[1], "x");
        co_await sleep(1s);
        EXPECT_EQ(calls, 1);
    });
}

TEST(FdCallbacks, AHangUpCallsBothSides) {
    Fds fds = Fds::sockets();
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        std::string order;
        loop.add_reader(fds.ends[0], [&] {
            order += 'r';
            loop.remove_reader(fds.ends[0]);
        });
        loop.add_writer(fds.ends[0], [&] {
            order += 'w';
            loop.remove_writer(fds.ends[0]);
        });
        fds.close_end(1);
        co_await sleep(1s);
        EXPECT_EQ(order, "rw");
    });
}

TEST(FdCallbacksThread, AnEventfdWakesTheLoop) {
    int fd = eventfd(0, EFD_NONBLOCK);
    for (bool is_virtual : {false, true}) {
        support::SleepWatch watch;
        LoopOptions options{.io_backend = &watch};
        if (is_virtual) options.clock = VirtualClock{};
        EventLoop loop(options);
        loop.add_reader(fd, [&] {
            take(fd, 8);
            loop.stop();
        });
        std::thread thread([&] {
            watch.wait_until_the_loop_sleeps();
            eventfd_write(fd, 1);
        });
        loop.run_forever();
        thread.join();
        EXPECT_TRUE(loop.remove_reader(fd));
    }
    ::close(fd);
}

// CPython: test_unix_events.py, TestFunctional.test_add_reader_invalid_argument
TEST(FdCallbacks, BadDescriptorsAndRegularFilesAreRefusedAsInPython) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        EXPECT_EQ(outcome([&] { loop.add_reader(-1, [] {}); }), "ValueError('Invalid file descriptor: -1')");
        EXPECT_EQ(outcome([&] { loop.add_writer(-1, [] {}); }), "ValueError('Invalid file descriptor: -1')");
        Fds fds = Fds::pipe();
        int closed = fds.ends[0];
        fds.close_end(0);
        EXPECT_EQ(outcome([&] { loop.add_reader(closed, [] {}); }), "OSError(9, 'Bad file descriptor')");
        int file = ::open("/proc/self/exe", O_RDONLY);
        EXPECT_NE(outcome([&] { loop.add_reader(file, [] {}); }).find("(1, 'Operation not permitted')"),
                  std::string::npos);
        EXPECT_FALSE(loop.remove_reader(file));
        ::close(file);
        EXPECT_FALSE(loop.remove_reader(closed));
        EXPECT_FALSE(loop.remove_writer(-1));
        co_return;
    });
}

TEST(FdCallbacks, ADescriptorClosedWhileWatchedMayBeForgottenAndUsedAgain) {
    run_test([]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        int number = -1;
        for (int i = 0; i < 2; ++i) {
            Fds fds = Fds::pipe();
            EXPECT_TRUE(i == 0 || fds.ends[0] == number);
            number = fds.ends[0];
            int calls = 0;
            loop.add_reader(number, [&] {
                ++calls;
                take(number);
            });
            put(fds.ends[1], "x");
            co_await sleep(1s);
            EXPECT_EQ(calls, 1);
            fds.close_end(0);
        }
        EXPECT_TRUE(loop.remove_reader(number));
    });
}

// CPython: test_events.py, EventLoopTestsMixin.test_add_fds_after_closing
// CPython: test_events.py, EventLoopTestsMixin.test_remove_fds_after_closing
TEST(FdCallbacks, AClosedLoopRefusesToAddAndHasNothingToRemove) {
    Fds fds = Fds::pipe();
    EventLoop loop;
    auto argument = std::make_shared<int>(1);
    loop.add_reader(fds.ends[0], [argument] {});
    loop.close();
    EXPECT_EQ(argument.use_count(), 1);
    EXPECT_EQ(outcome([&] { loop.add_reader(fds.ends[0], [] {}); }), "RuntimeError('Event loop is closed')");
    EXPECT_EQ(outcome([&] { loop.add_writer(fds.ends[1], [] {}); }), "RuntimeError('Event loop is closed')");
    EXPECT_FALSE(loop.remove_reader(fds.ends[0]));
    EXPECT_FALSE(loop.remove_writer(fds.ends[1]));
}

// CPython: selector_events.py, _process_events; base_events.py, _run_once
TEST(FdCallbacks, AreNotCalledAfterTheirHandleWasCancelled) {
    for (bool inside : {true, false}) {
        int calls = 0;
        run_test([&]() -> Coro<> {
            EventLoop& loop = get_running_loop();
            Handle handle;
            loop.set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
                handle = context.handle;
                if (inside) handle.cancel();
            });
            Fds fds = Fds::pipe();
            std::string text(100, 'a');
            loop.add_reader(fds.ends[0], [&calls, text] {
                ++calls;
                throw ValueError(text);
            });
            EXPECT_EQ(::write(fds.ends[1], "x", 1), 1);
            while (!handle) co_await sleep(0);
            handle.cancel();
            int until_then = calls;
            for (int i = 0; i < 200; ++i) co_await sleep(0);
            EXPECT_EQ(calls, until_then);
            EXPECT_FALSE(loop.remove_reader(fds.ends[0]));
        });
        EXPECT_GE(calls, 1);
    }
}

/// Refuses to watch a descriptor for less, as often as it is said.
class ReluctantBackend : public support::WrappedBackend {
public:
    void watch(int fd, bool readable, bool writable) override {
        if (!(readable && writable) && watched_both_ && refusals > 0) {
            --refusals;
            throw OSError(ENOMEM);
        }
        watched_both_ = readable && writable;
        WrappedBackend::watch(fd, readable, writable);
    }
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override {
        ++waits;
        WrappedBackend::wait(timeout, events);
    }
    int refusals = 0;
    int waits = 0;

private:
    bool watched_both_ = false;
};

TEST(FdCallbacks, ABackendThatDoesNotStopToWatchIsToldAgainAndTheLoopSleeps) {
    for (int refusals : {1, 2, 3}) {
        ReluctantBackend backend;
        EventLoop loop({.io_backend = backend});
        auto main = [&]() -> Coro<> {
            Fds fds = Fds::sockets();
            put(fds.ends[1], "x");
            loop.add_reader(fds.ends[0], [] {});
            loop.add_writer(fds.ends[0], [] {});
            co_await sleep(1ms);
            backend.refusals = refusals;
            EXPECT_THROW(loop.remove_reader(fds.ends[0]), OSError);
            if (refusals > 1) {
                EXPECT_THROW(loop.remove_writer(fds.ends[0]), OSError);
            } else {
                EXPECT_TRUE(loop.remove_writer(fds.ends[0]));
            }
            EXPECT_FALSE(loop.remove_reader(fds.ends[0]));
            co_await sleep(1ms);
            backend.waits = 0;
            co_await sleep(20ms);
            EXPECT_LE(backend.waits, 3) << refusals;
        };
        loop.run_until_complete(main());
    }
}

}  // namespace
