#include "loop/signal_pipe.h"

#include <asyncio/errors/exceptions.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>
#include <vector>

namespace asyncio::detail {
namespace {

std::vector<int> drained(SignalPipe& pipe) {
    std::vector<int> signals;
    pipe.drain([&](int signum) { signals.push_back(signum); });
    return signals;
}

bool is_readable(const SignalPipe& pipe) {
    pollfd look{pipe.fd(), POLLIN, 0};
    return ::poll(&look, 1, 0) == 1;
}

struct sigaction disposition(int signum) {
    struct sigaction current = {};
    ::sigaction(signum, nullptr, &current);
    return current;
}

template <class Error, class Function>
std::string message_of(Function&& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing thrown";
}

using Signals = std::vector<int>;

TEST(SignalPipe, DeliversSignalsInTheOrderTheyCame) {
    SignalPipe pipe;
    pipe.add(SIGUSR1);
    pipe.add(SIGUSR2);
    pipe.add(SIGRTMAX);
    EXPECT_FALSE(is_readable(pipe));
    for (int signum : {SIGUSR2, SIGRTMAX, SIGUSR1, SIGUSR2}) ::raise(signum);
    EXPECT_TRUE(is_readable(pipe));
    EXPECT_EQ(drained(pipe), (Signals{SIGUSR2, SIGRTMAX, SIGUSR1, SIGUSR2}));
    EXPECT_FALSE(is_readable(pipe));
    EXPECT_EQ(drained(pipe), Signals{});
}

TEST(SignalPipe, RestartsInterruptedCalls) {
    SignalPipe pipe;
    pipe.add(SIGUSR1);
    EXPECT_NE(disposition(SIGUSR1).sa_flags & SA_RESTART, 0);
}

TEST(SignalPipe, GivesBackWhatItFound) {
    auto own = [](int) {};
    ::signal(SIGUSR2, own);
    ::signal(SIGPIPE, SIG_IGN);
    {
        SignalPipe pipe;
        for (int signum : {SIGUSR1, SIGUSR2, SIGPIPE}) pipe.add(signum);
        pipe.add(SIGUSR2);  // again: what was found first counts
        EXPECT_TRUE(pipe.remove(SIGUSR2));
        EXPECT_EQ(disposition(SIGUSR2).sa_handler, +own);
        EXPECT_FALSE(pipe.remove(SIGUSR2));
        EXPECT_FALSE(pipe.owns(SIGUSR2));
        EXPECT_TRUE(pipe.owns(SIGUSR1));
    }
    EXPECT_EQ(disposition(SIGUSR1).sa_handler, SIG_DFL);
    EXPECT_EQ(disposition(SIGPIPE).sa_handler, SIG_IGN);
    ::signal(SIGUSR2, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
}

TEST(SignalPipe, LeavesAHandlerAloneThatReplacedItsOwn) {
    auto other = [](int) {};
    SignalPipe pipe;
    pipe.add(SIGUSR1);
    ::signal(SIGUSR1, other);
    EXPECT_TRUE(pipe.remove(SIGUSR1));
    EXPECT_EQ(disposition(SIGUSR1).sa_handler, +other);
    ::signal(SIGUSR1, SIG_DFL);
}

TEST(SignalPipe, TheLastToAddOwnsTheSignal) {
    SignalPipe last;
    {
        SignalPipe first;
        first.add(SIGUSR1);
        last.add(SIGUSR1);
        EXPECT_FALSE(first.owns(SIGUSR1));
        EXPECT_FALSE(first.remove(SIGUSR1));
        ::raise(SIGUSR1);
        EXPECT_EQ(drained(first), Signals{});
        EXPECT_EQ(drained(last), Signals{SIGUSR1});
    }
    ::raise(SIGUSR1);
    EXPECT_EQ(drained(last), Signals{SIGUSR1});
    EXPECT_TRUE(last.remove(SIGUSR1));
    EXPECT_EQ(disposition(SIGUSR1).sa_handler, SIG_DFL);
}

// CPython: test_unix_events.py, SelectorEventLoopSignalTests.test_check_signal
TEST(SignalPipe, RefusesWhatIsNoSignalOrCannotBeCaught) {
    SignalPipe pipe;
    for (int signum : {0, -1, 32, 33, 65, 1'000'000'000}) {
        std::string expected = "invalid signal number " + std::to_string(signum);
        EXPECT_EQ(message_of<ValueError>([&] { pipe.add(signum); }), expected);
        EXPECT_EQ(message_of<ValueError>([&] { pipe.remove(signum); }), expected);
    }
    EXPECT_EQ(message_of<RuntimeError>([&] { pipe.add(SIGKILL); }), "sig 9 cannot be caught");
    EXPECT_EQ(message_of<RuntimeError>([&] { pipe.add(SIGSTOP); }), "sig 19 cannot be caught");
    EXPECT_FALSE(pipe.owns(SIGKILL));
    EXPECT_FALSE(pipe.remove(SIGKILL));
}

TEST(SignalPipe, RefusesToAddOutsideTheMainThread) {
    SignalPipe pipe;
    std::thread([&] {
        EXPECT_EQ(message_of<RuntimeError>([&] { pipe.add(SIGUSR1); }),
                  "set_wakeup_fd only works in main thread of the main interpreter");
    }).join();
    EXPECT_EQ(disposition(SIGUSR1).sa_handler, SIG_DFL);
}

TEST(SignalPipe, AFloodOfOneSignalLosesNoOther) {
    SignalPipe pipe;
    ::fcntl(pipe.fd(), F_SETPIPE_SZ, 4096);
    pipe.add(SIGUSR1);
    pipe.add(SIGUSR2);
    int capacity = ::fcntl(pipe.fd(), F_GETPIPE_SZ);
    for (int i = 0; i < capacity + 10; ++i) ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    Signals signals = drained(pipe);
    EXPECT_EQ(signals.size(), static_cast<std::size_t>(capacity) + 2);
    EXPECT_EQ(signals.back(), SIGUSR2);
    EXPECT_EQ(drained(pipe), Signals{});
}

TEST(SignalPipe, TheHandlerPreservesErrno) {
    SignalPipe pipe;
    ::fcntl(pipe.fd(), F_SETPIPE_SZ, 4096);
    pipe.add(SIGUSR1);
    int capacity = ::fcntl(pipe.fd(), F_GETPIPE_SZ);
    errno = EDOM;
    for (int i = 0; i < capacity + 1; ++i) ::raise(SIGUSR1);
    EXPECT_EQ(errno, EDOM);
}

TEST(SignalPipe, AForkedChildsSignalsStayInTheChild) {
    SignalPipe pipe;
    pipe.add(SIGUSR1);
    pid_t child = ::fork();
    if (child == 0) {
        ::raise(SIGUSR1);
        ::_exit(drained(pipe) == Signals{SIGUSR1} ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(drained(pipe), Signals{});
    ::raise(SIGUSR1);
    EXPECT_EQ(drained(pipe), Signals{SIGUSR1});
}

TEST(SignalPipe, ItsDescriptorsAreClosedOnExecAndDoNotBlock) {
    SignalPipe pipe;
    EXPECT_EQ(::fcntl(pipe.fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(pipe.fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(SignalPipe, MayComeAndGoWhileOtherThreadsAreInItsHandler) {
    SignalPipe keeps_the_handler;
    keeps_the_handler.add(SIGUSR1);
    std::atomic<bool> over = false;
    std::thread raiser([&] {
        while (!over) ::raise(SIGUSR1);
    });
    for (int round = 0; round < 200; ++round) {
        std::optional<SignalPipe> pipe(std::in_place);
        pipe->add(SIGUSR1);
        drained(*pipe);
        keeps_the_handler.add(SIGUSR1);
        pipe.reset();
        drained(keeps_the_handler);
    }
    over = true;
    raiser.join();
}

}  // namespace
}  // namespace asyncio::detail
