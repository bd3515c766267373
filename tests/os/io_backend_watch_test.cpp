#include <asyncio/errors/exceptions.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <string>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

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

class IoBackendWatchTest : public IoBackendTest {
protected:
    /// What a look finds, as "r", "w" or "rw"; empty for nothing.
    std::string look(int fd) {
        std::string found;
        for (const IoEvent& event : wait()) {
            EXPECT_EQ(event.fd, fd);
            found += event.readable ? "r" : "";
            found += event.writable ? "w" : "";
        }
        return found;
    }
};
INSTANTIATE_TEST_SUITE_P(All, IoBackendWatchTest, testing::Values("epoll", "io_uring"));

TEST_P(IoBackendWatchTest, ReportsReadableAndWritableAsLongAsTheyAre) {
    Pipe pipe;
    backend().watch(pipe.reader(), true, false);
    EXPECT_EQ(look(pipe.reader()), "");
    pipe.put();
    EXPECT_EQ(look(pipe.reader()), "r");
    EXPECT_EQ(look(pipe.reader()), "r");
    backend().watch(pipe.reader(), false, false);
    backend().watch(pipe.writer(), false, true);
    EXPECT_EQ(look(pipe.writer()), "w");
}

TEST_P(IoBackendWatchTest, ReplacesWhatWasWanted) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ASSERT_EQ(::write(pair[1], "x", 1), 1);
    backend().watch(pair[0], true, true);
    EXPECT_EQ(look(pair[0]), "rw");
    backend().watch(pair[0], false, true);
    EXPECT_EQ(look(pair[0]), "w");
    backend().watch(pair[0], true, false);
    EXPECT_EQ(look(pair[0]), "r");
    backend().watch(pair[0], false, false);
    EXPECT_EQ(look(pair[0]), "");
    ::close(pair[0]);
    ::close(pair[1]);
}

// CPython: selectors.py, EpollSelector.select
TEST_P(IoBackendWatchTest, ReportsAHangUpOrAnErrorToWhoeverWatches) {
    Pipe hung_up;
    hung_up.close_writer();
    backend().watch(hung_up.reader(), true, false);
    EXPECT_EQ(look(hung_up.reader()), "r");
    backend().watch(hung_up.reader(), false,
                    true);  // never writable, but its watcher must hear of it
    EXPECT_EQ(look(hung_up.reader()), "w");
    backend().watch(hung_up.reader(), true, true);
    EXPECT_EQ(look(hung_up.reader()), "rw");
    backend().watch(hung_up.reader(), false, false);

    Pipe broken;
    broken.close_reader();
    backend().watch(broken.writer(), true, false);
    EXPECT_EQ(look(broken.writer()), "r");
    backend().watch(broken.writer(), false, true);
    EXPECT_EQ(look(broken.writer()), "w");
}

TEST_P(IoBackendWatchTest, ForgettingAClosedOrAnUnknownDescriptorIsNoError) {
    Pipe pipe;
    int fd = pipe.reader();
    backend().watch(fd, true, false);
    pipe.close_reader();
    backend().watch(fd, false, false);
    backend().watch(fd, false, false);
    backend().watch(1'000'000, false, false);
}

TEST_P(IoBackendWatchTest, WatchesANumberThatWasClosedAndGivenOutAgain) {
    Pipe old_pipe;
    Pipe new_pipe;
    backend().watch(old_pipe.reader(), true, false);
    ASSERT_EQ(::dup3(new_pipe.reader(), old_pipe.reader(), O_CLOEXEC), old_pipe.reader());
    backend().watch(old_pipe.reader(), true, false);
    new_pipe.put();
    EXPECT_EQ(look(old_pipe.reader()), "r");
}

// All eventfds have the same inode.
TEST_P(IoBackendWatchTest, WatchesAnEventfdUnderTheNumberOfAnother) {
    OwnedFd old_one(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    OwnedFd new_one(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    backend().watch(old_one.fd(), true, false);
    EXPECT_EQ(look(old_one.fd()), "");
    ASSERT_EQ(::dup3(new_one.fd(), old_one.fd(), O_CLOEXEC), old_one.fd());
    backend().watch(old_one.fd(), true, false);
    EXPECT_EQ(look(old_one.fd()), "");
    ASSERT_EQ(::eventfd_write(new_one.fd(), 1), 0);
    EXPECT_EQ(look(old_one.fd()), "r");
}

TEST_P(IoBackendWatchTest, RefusesFilesThatTheKernelCannotTellOf) {
    for (const char* path : {"/proc/self/exe", "/", "/dev/null", "/dev/zero", "/proc/self/maps"}) {
        int file = ::open(path, O_RDONLY | O_CLOEXEC);
        try {
            backend().watch(file, true, false);
            ADD_FAILURE() << path;
        } catch (const OSError& error) {
            EXPECT_STREQ(error.what(), "[Errno 1] Operation not permitted") << path;
        }
        EXPECT_EQ(look(file), "") << path;
        ::close(file);
    }
    int mounts = ::open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
    backend().watch(mounts, true, false);
    EXPECT_EQ(look(mounts), "r");
    backend().watch(mounts, false, false);
    ::close(mounts);
}

TEST_P(IoBackendWatchTest, RefusesWildNumbers) {
    int closed = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ::close(closed);
    EXPECT_THROW(backend().watch(closed, true, false), OSError);
    EXPECT_THROW(backend().watch(INT_MAX, true, false), OSError);
    EXPECT_THROW(backend().watch(-1, true, false), ValueError);
}

TEST_P(IoBackendWatchTest, ADescriptorThatFailsIsNoLongerWatched) {
    Pipe pipe;
    int fd = pipe.reader();
    backend().watch(fd, true, false);
    pipe.close_reader();
    EXPECT_THROW(backend().watch(fd, true, false), OSError);
    EXPECT_EQ(look(fd), "");
}

// Two Sockets of one number, each with a serial number of its own.
TEST_P(IoBackendWatchTest, AWatchedFileMayHaveTwoOwners) {
    Pair pair = unix_pair();
    Receive first(pair.first);
    EXPECT_FALSE(first.start(backend()));
    backend().watch(pair.first.fd(), true, false);
    Receive second(pair.first);
    second.descriptor.serial = next_descriptor_serial();
    EXPECT_FALSE(second.start(backend()));
    first.stop();
    pair.second.put("x");
    while (!second.reported) ASSERT_FALSE(wait(std::chrono::seconds(1)).empty());
    EXPECT_TRUE(second.finish());
    EXPECT_EQ(second.text(), "x");
}

}  // namespace
}  // namespace asyncio::detail
