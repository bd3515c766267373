#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0); }
    ~Pipe() {
        ::close(fds[0]);
        ::close(fds[1]);
    }
    void put() { EXPECT_EQ(::write(fds[1], "x", 1), 1); }
    int reader() const { return fds[0]; }

private:
    int fds[2];
};

/// Installs a handler of SIGUSR1 as long as it lives.
struct Handler {
    explicit Handler(void (*function)(int)) {
        struct sigaction action = {};
        action.sa_handler = function;
        ::sigaction(SIGUSR1, &action, &before);
    }
    ~Handler() { ::sigaction(SIGUSR1, &before, nullptr); }
    struct sigaction before = {};
};

class IoBackendWakeThreadTest : public IoBackendTest {};
INSTANTIATE_TEST_SUITE_P(All, IoBackendWakeThreadTest, testing::Values("epoll", "io_uring"));

TEST_P(IoBackendWakeThreadTest, AWakeEndsTheNextWaitAndNoOther) {
    std::vector<IoEvent> events;
    for (int i = 0; i < 3; ++i) backend().wake();
    backend().wait(std::nullopt, events);
    auto longest = nanoseconds(0);  // a signal may end a wait early, and a ring that was destroyed sends one
    for (int i = 0; i < 5 && longest < 2ms; ++i) {
        auto start = steady_clock::now();
        backend().wait(nanoseconds(2ms), events);
        longest = std::max<nanoseconds>(longest, steady_clock::now() - start);
    }
    EXPECT_GE(longest, 2ms);
    EXPECT_TRUE(events.empty());
}

TEST_P(IoBackendWakeThreadTest, AWakeBeforeAWaitStillReportsWhatIsReady) {
    Pipe pipe;
    pipe.put();
    backend().watch(pipe.reader(), true, false);
    backend().wake();
    std::vector<IoEvent> events;
    backend().wait(std::nullopt, events);
    EXPECT_EQ(events.size(), 1u);
}

TEST_P(IoBackendWakeThreadTest, ThreadsThatWakeAndWaitForTheAnswerNeverLoseAWake) {
    Pipe pipe;  // both kinds of look: with descriptors and without
    std::vector<IoEvent> events;
    constexpr int rounds = 5000;
    std::atomic<int> asked[3] = {};
    std::atomic<int> answered[3] = {};
    std::vector<std::thread> threads;
    for (std::size_t who = 0; who < 3; ++who) {
        threads.emplace_back([&, who] {
            for (int round = 1; round <= rounds; ++round) {
                asked[who].store(round, std::memory_order_relaxed);  // wake() is what publishes it
                backend().wake();
                while (answered[who].load(std::memory_order_relaxed) != round) {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (int pass = 0, finished = 0; finished < 3; ++pass) {
        if (pass % 100 == 0) backend().watch(pipe.reader(), pass % 200 == 0, false);
        std::optional<nanoseconds> timeout;  // for ever: hangs if one is lost
        if (pass % 7 == 0) timeout = nanoseconds(0);
        backend().wait(timeout, events);
        finished = 0;
        for (std::size_t who = 0; who < 3; ++who) {
            answered[who].store(asked[who].load(std::memory_order_relaxed));
            finished += answered[who].load() == rounds;
        }
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_P(IoBackendWakeThreadTest, AWakeEndsTheFirstSleepWheneverItComes) {
    for (int i = 0; i < 200; ++i) {
        auto kind = backend().name() == "epoll" ? IoBackendKind::epoll : IoBackendKind::io_uring;
        std::unique_ptr<IoBackend> fresh = make_io_backend(kind);
        std::thread thread([&] { fresh->wake(); });
        std::vector<IoEvent> events;
        fresh->wait(std::nullopt, events);
        thread.join();
    }
}

TEST_P(IoBackendWakeThreadTest, AWakePublishesWhatItsThreadWroteToPlainMemory) {
    std::vector<IoEvent> events;
    for (int round = 0; round < 300; ++round) {
        int message = 0;
        std::atomic<bool> posted = false;
        std::thread thread([&] {
            message = round + 1;  // ThreadSanitizer would call this a race
            posted.store(true, std::memory_order_relaxed);
            backend().wake();
        });
        do backend().wait(std::nullopt, events);
        while (!posted.load(std::memory_order_relaxed));
        thread.join();
        EXPECT_EQ(message, round + 1);
    }
}

IoBackend* woken_by_signal = nullptr;

TEST_P(IoBackendWakeThreadTest, IsWokenFromASignalHandler) {
    woken_by_signal = &backend();
    Handler handler([](int) { woken_by_signal->wake(); });
    std::vector<IoEvent> events;
    ::raise(SIGUSR1);
    backend().wait(std::nullopt, events);
    std::thread thread([main = pthread_self()] { pthread_kill(main, SIGUSR1); });
    backend().wait(std::nullopt, events);
    thread.join();
    EXPECT_TRUE(events.empty());
}

TEST_P(IoBackendWakeThreadTest, ASignalEndsAWaitEarlyWithNothing) {
    Handler handler([](int) {});
    std::atomic<bool> returned = false;
    std::thread thread([&, main = pthread_self()] {
        while (!returned) {
            pthread_kill(main, SIGUSR1);
            std::this_thread::sleep_for(100us);
        }
    });
    std::vector<IoEvent> events;
    backend().wait(std::nullopt, events);
    returned = true;
    thread.join();
    EXPECT_TRUE(events.empty());
}

TEST_P(IoBackendWakeThreadTest, WakePreservesErrno) {
    errno = EDOM;
    backend().wake();
    EXPECT_EQ(errno, EDOM);
}

TEST_P(IoBackendWakeThreadTest, ALookWithNothingWatchedMakesNoSystemCall) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own, which would outlive the child's";
#endif
    std::vector<IoEvent> events;
    pid_t child = ::fork();
    if (child == 0) {
        backend().wait(nanoseconds(0), events);  // what it has of its own it opens now
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::_exit(77);
        backend().wait(nanoseconds(0), events);  // any but read, write and exit would kill the child
        backend().wake();
        backend().wait(nanoseconds(0), events);
        backend().wake();
        backend().wait(std::nullopt, events);
        ::syscall(SYS_exit, 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp here";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace asyncio::detail
