#include "os/epoll_backend.h"

#include <gtest/gtest.h>

#include <asyncio/errors/exceptions.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>

#include "support/no_more_descriptors.h"

namespace asyncio::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using Precision = EpollBackend::Precision;

TEST(EpollBackend, NeverReturnsBeforeTheTimeIsOver) {
    for (Precision precision : {Precision::nanoseconds, Precision::milliseconds}) {
        EpollBackend backend(precision);
        std::vector<IoEvent> events;
        for (nanoseconds timeout : {nanoseconds(1), nanoseconds(300us), nanoseconds(1'100us)}) {
            // A signal may end a wait early, and a ring that was destroyed sends its thread one.
            nanoseconds longest = nanoseconds(0);
            for (int i = 0; i < 5 && longest < timeout; ++i) {
                auto start = steady_clock::now();
                backend.wait(timeout, events);
                longest = std::max<nanoseconds>(longest, steady_clock::now() - start);
            }
            EXPECT_GE(longest, timeout);
        }
        EXPECT_TRUE(events.empty());
    }
}

TEST(EpollBackend, WaitsForLessThanAMillisecondWhereTheKernelCan) {
    EpollBackend backend;
    std::vector<IoEvent> events;
    auto shortest = nanoseconds::max();
    for (int i = 0; i < 30; ++i) {
        auto start = steady_clock::now();
        backend.wait(nanoseconds(50us), events);
        shortest = std::min<nanoseconds>(shortest, steady_clock::now() - start);
    }
    if (backend.precision() == Precision::milliseconds) GTEST_SKIP() << "milliseconds only";
    EXPECT_LT(shortest, 900us);
}

std::set<int> open_descriptors() {
    std::set<int> fds;
    for (int fd = 0; fd < 256; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) fds.insert(fd);
    }
    return fds;
}

TEST(EpollBackend, ItsDescriptorsAreClosedOnExecAndByItsDestructor) {
    std::set<int> before = open_descriptors();
    {
        EpollBackend backend;
        std::vector<IoEvent> events;
        backend.wait(nanoseconds(1), events);
        std::set<int> during = open_descriptors();
        EXPECT_EQ(during.size(), before.size() + 2);
        for (int fd : during) {
            EXPECT_TRUE(before.count(fd) == 1 || ::fcntl(fd, F_GETFD) == FD_CLOEXEC);
        }
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST(EpollBackend, OpensNothingUntilItSleepsOrHasADescriptorToWaitFor) {
    std::set<int> before = open_descriptors();
    EpollBackend backend;
    std::vector<IoEvent> events;
    backend.wake();
    backend.wait(nanoseconds(0), events);
    EXPECT_EQ(open_descriptors(), before);
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    backend.watch(fds[0], true, false);
    EXPECT_EQ(open_descriptors().size(), before.size() + 4);
    ::close(fds[0]);
    ::close(fds[1]);
}

#if !defined(__SANITIZE_ADDRESS__)  // whose UndefinedBehaviorSanitizer needs descriptors itself
int error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const OSError& error) {
        return error.errno_value();
    }
    return 0;
}

TEST(EpollBackend, TellsWhoNeedsItThatItCannotOpenAndTriesAgain) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    EpollBackend backend;
    std::vector<IoEvent> events;
    IoOperation operation(IoCall::readable);
    operation.descriptor = {fds[0], next_descriptor_serial()};
    {
        support::NoMoreDescriptors none;
        EXPECT_TRUE(operation.start(backend));
        EXPECT_EQ(operation.result, -EMFILE);
        EXPECT_EQ(error_of([&] { backend.watch(fds[0], true, false); }), EMFILE);
        EXPECT_EQ(error_of([&] { backend.wait(std::nullopt, events); }), EMFILE);
    }
    EXPECT_FALSE(operation.start(backend));
    EXPECT_EQ(::write(fds[1], "x", 1), 1);
    backend.wait(std::nullopt, events);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].operation, &operation);
    EXPECT_TRUE(operation.finish());
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST(EpollBackend, AWakeUpIsNotLostThoughItCannotOpen) {
    EpollBackend backend;
    std::vector<IoEvent> events;
    support::NoMoreDescriptors none;
    backend.wake();
    backend.wait(std::nullopt, events);  // ends
    EXPECT_EQ(error_of([&] { backend.wait(std::nullopt, events); }), EMFILE);
    backend.wake();
    backend.wait(std::nullopt, events);
}
#endif

}  // namespace
}  // namespace asyncio::detail
