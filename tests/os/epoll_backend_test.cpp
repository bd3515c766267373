#include "os/epoll_backend.h"

#include <asyncio/core/exceptions.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <set>
#include <string>

namespace asyncio::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using Precision = EpollBackend::Precision;

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0); }
    ~Pipe() {
        close_reader();
        close_writer();
    }
    void put() { EXPECT_EQ(::write(fds[1], "x", 1), 1); }
    void close_reader() { close(fds[0]); }
    void close_writer() { close(fds[1]); }
    int reader() const { return fds[0]; }
    int writer() const { return fds[1]; }

private:
    static void close(int& fd) {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
    int fds[2];
};

/// What a look finds, as "r", "w" or "rw"; empty for nothing.
std::string look(EpollBackend& backend, int fd) {
    std::vector<IoEvent> events;
    backend.wait(nanoseconds(0), events);
    std::string found;
    for (const IoEvent& event : events) {
        EXPECT_EQ(event.fd, fd);
        found += event.readable ? "r" : "";
        found += event.writable ? "w" : "";
    }
    return found;
}

TEST(EpollBackend, ReportsReadableAndWritableAsLongAsTheyAre) {
    EpollBackend backend;
    Pipe pipe;
    backend.watch(pipe.reader(), true, false);
    EXPECT_EQ(look(backend, pipe.reader()), "");
    pipe.put();
    EXPECT_EQ(look(backend, pipe.reader()), "r");
    EXPECT_EQ(look(backend, pipe.reader()), "r");
    backend.watch(pipe.reader(), false, false);
    backend.watch(pipe.writer(), false, true);
    EXPECT_EQ(look(backend, pipe.writer()), "w");
}

TEST(EpollBackend, ReplacesWhatWasWanted) {
    EpollBackend backend;
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    backend.watch(pair[0], true, true);
    EXPECT_EQ(look(backend, pair[0]), "rw");
    backend.watch(pair[0], false, true);
    EXPECT_EQ(look(backend, pair[0]), "w");
    backend.watch(pair[0], true, false);
    EXPECT_EQ(look(backend, pair[0]), "r");
    backend.watch(pair[0], false, false);
    EXPECT_EQ(look(backend, pair[0]), "");
    ::close(pair[0]);
    ::close(pair[1]);
}

// CPython: selectors.py, EpollSelector.select
TEST(EpollBackend, ReportsAHangUpOrAnErrorToWhoeverWatches) {
    EpollBackend backend;
    Pipe hung_up;
    hung_up.close_writer();
    backend.watch(hung_up.reader(), true, false);
    EXPECT_EQ(look(backend, hung_up.reader()), "r");
    backend.watch(hung_up.reader(), false,
                  true);  // never writable, but its watcher must hear of it
    EXPECT_EQ(look(backend, hung_up.reader()), "w");
    backend.watch(hung_up.reader(), true, true);
    EXPECT_EQ(look(backend, hung_up.reader()), "rw");
    backend.watch(hung_up.reader(), false, false);

    Pipe broken;
    broken.close_reader();
    backend.watch(broken.writer(), true, false);
    EXPECT_EQ(look(backend, broken.writer()), "r");
    backend.watch(broken.writer(), false, true);
    EXPECT_EQ(look(backend, broken.writer()), "w");
}

TEST(EpollBackend, ForgettingAClosedOrAnUnknownDescriptorIsNoError) {
    EpollBackend backend;
    Pipe pipe;
    int fd = pipe.reader();
    backend.watch(fd, true, false);
    pipe.close_reader();
    backend.watch(fd, false, false);
    backend.watch(fd, false, false);
    backend.watch(1'000'000, false, false);
}

TEST(EpollBackend, WatchesANumberThatWasClosedAndGivenOutAgain) {
    EpollBackend backend;
    Pipe old_pipe;
    Pipe new_pipe;
    backend.watch(old_pipe.reader(), true, false);
    ASSERT_EQ(::dup3(new_pipe.reader(), old_pipe.reader(), O_CLOEXEC), old_pipe.reader());
    backend.watch(old_pipe.reader(), true, false);
    new_pipe.put();
    EXPECT_EQ(look(backend, old_pipe.reader()), "r");
}

TEST(EpollBackend, RefusesRegularFilesAndWildNumbers) {
    EpollBackend backend;
    int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    try {
        backend.watch(file, true, false);
        ADD_FAILURE();
    } catch (const OSError& error) {
        EXPECT_STREQ(error.what(), "[Errno 1] Operation not permitted");
    }
    ::close(file);
    EXPECT_THROW(backend.watch(file, true, false), OSError);
    EXPECT_THROW(backend.watch(INT_MAX, true, false), OSError);
    EXPECT_THROW(backend.watch(-1, true, false), ValueError);
}

TEST(EpollBackend, ADescriptorThatFailsIsNoLongerWatched) {
    EpollBackend backend;
    Pipe pipe;
    int fd = pipe.reader();
    backend.watch(fd, true, false);
    pipe.close_reader();
    EXPECT_THROW(backend.watch(fd, true, false), OSError);
    EXPECT_EQ(look(backend, fd), "");
}

TEST(EpollBackend, NeverReturnsBeforeTheTimeIsOver) {
    for (Precision precision : {Precision::nanoseconds, Precision::milliseconds}) {
        EpollBackend backend(precision);
        std::vector<IoEvent> events;
        for (nanoseconds timeout : {nanoseconds(1), nanoseconds(300us), nanoseconds(1'100us)}) {
            auto start = steady_clock::now();
            backend.wait(timeout, events);
            EXPECT_GE(steady_clock::now() - start, timeout);
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
