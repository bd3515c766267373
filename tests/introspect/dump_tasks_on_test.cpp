#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <regex>
#include <string>
#include <thread>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

/// While it lives, what is written to the standard error output comes here.
class Stderr {
public:
    Stderr() {
        std::fflush(stderr);
        former_ = ::dup(STDERR_FILENO);
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        read_end_ = ends[0];
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
    }
    ~Stderr() {
        ::dup2(former_, STDERR_FILENO);
        ::close(former_);
        ::close(read_end_);
    }
    /// All that has come when this has.
    std::string until(const std::string& pattern) {
        std::regex wanted(pattern);
        for (int i = 0; i < 300 && !std::regex_search(text_, wanted); ++i) {
            pollfd ready{read_end_, POLLIN, 0};
            if (::poll(&ready, 1, 100) <= 0) continue;
            char part[4096];
            ssize_t size = ::read(read_end_, part, sizeof part);
            if (size > 0) text_.append(part, static_cast<std::size_t>(size));
        }
        return text_;
    }

private:
    int former_ = -1;
    int read_end_ = -1;
    std::string text_;
};

Coro<> wait_for_event(Event& event) { co_await event.wait(); }

TEST(DumpTasksOnThread, ALoopThatTurnsWritesItsTasks) {
    dump_tasks_on(SIGUSR1);
    Stderr written;
    std::string text;
    auto main = [&]() -> Coro<> {
        current_task().set_name("main");
        Event event;
        Task<> task = create_task(wait_for_event(event), {.name = "waits"});
        co_await sleep(0s);
        ::kill(::getpid(), SIGUSR1);
        text = co_await to_thread([&] { return written.until("name='waits'.*\n.*in wait_for_event\n"); });
        event.set();
        co_await task;
    };
    run(main());
    EXPECT_TRUE(std::regex_search(text, std::regex("^loop at 0x[0-9a-f]+, 2 tasks\n  <Task pending name='main' ")))
        << text;
    EXPECT_NE(text.find("wait_for=<Event at "), std::string::npos) << text;
}

Coro<> block(std::atomic<bool>& released) {
    co_await sleep(0s);
    while (!released) ::usleep(1000);
}
Coro<> call_block(std::atomic<bool>& released) { co_await block(released); }

TEST(DumpTasksOnThread, OfALoopThatDoesNotTurnItSaysInWhichStepItIs) {
    dump_tasks_on(SIGUSR1);
    std::atomic<bool> released = false;
    Stderr written;
    std::string text;
    std::string in_callback;
    EventLoop idle;
    std::thread other([&] {
        auto main = [&]() -> Coro<> {
            Task<> busy = create_task(call_block(released), {.name = "a task with a long name that blocks"});
            co_await busy;
        };
        run(main());
        EventLoop loop;
        released = false;
        loop.call_soon([&] {
            while (!released) ::usleep(1000);
        });
        loop.stop();
        loop.run_forever();
    });
    ::usleep(100'000);
    ::kill(::getpid(), SIGUSR1);
    text = written.until("innermost first:\n.*\n.*call_block.*\n");
    released = true;
    ::usleep(100'000);
    ::kill(::getpid(), SIGUSR1);
    in_callback = written.until("it runs a callback[^]*does not run\n");
    released = true;
    other.join();
    EXPECT_TRUE(std::regex_search(
        text,
        std::regex("loop at 0x[0-9a-f]+ does not turn: its thread is in one step for more than a second\n"
                   "  it runs task 'a task with a long name that blocks', whose coroutines are, the innermost first:\n"
                   "      [^ ]*dump_tasks_on_test.cpp:[0-9]+ in .*\\bblock\\(.*\n"
                   "      [^ ]*dump_tasks_on_test.cpp:[0-9]+ in .*\\bcall_block\\(.*\n")))
        << text;
    EXPECT_TRUE(std::regex_search(text + in_callback, std::regex("loop at 0x[0-9a-f]+ does not run\n"))) << text;
    EXPECT_NE(in_callback.find("it runs a callback, or the loop itself\n"), std::string::npos) << in_callback;
}

// Not for TSan, which lets no signal through to a forked child that waits.
TEST(DumpTasksOn, AForkedChildSaysWhereItStands) {
    dump_tasks_on(SIGUSR1);
    Stderr written;
    pid_t child = ::fork();
    if (child == 0) {
        ::raise(SIGUSR1);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    std::string text = written.until("it runs no loop\n");
    EXPECT_NE(text.find("  it runs no loop\n"), std::string::npos) << text;
}

TEST(DumpTasksOn, RefusesWhatIsNoSignalAndWhatCannotBeCaught) {
    EXPECT_THROW(dump_tasks_on(0), ValueError);
    EXPECT_THROW(dump_tasks_on(1000), ValueError);
    EXPECT_THROW(dump_tasks_on(SIGKILL), RuntimeError);
}

}  // namespace
