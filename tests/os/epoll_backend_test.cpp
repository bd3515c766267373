#include "os/epoll_backend.h"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <algorithm>
#include <set>

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

TEST(EpollBackend, ItsDescriptorsAreClosedOnExecAndByItsDestructor) {
    auto open_descriptors = [] {
        std::set<int> fds;
        for (int fd = 0; fd < 256; ++fd) {
            if (::fcntl(fd, F_GETFD) >= 0) fds.insert(fd);
        }
        return fds;
    };
    std::set<int> before = open_descriptors();
    {
        EpollBackend backend;
        std::set<int> during = open_descriptors();
        EXPECT_EQ(during.size(), before.size() + 2);
        for (int fd : during) {
            EXPECT_TRUE(before.count(fd) == 1 || ::fcntl(fd, F_GETFD) == FD_CLOEXEC);
        }
    }
    EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace asyncio::detail
