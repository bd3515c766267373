#include "detail/quiet_write.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

namespace asyncio::detail {
namespace {

bool is_sigpipe_pending() {
    sigset_t pending;
    ::sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

bool is_sigpipe_blocked() {
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return sigismember(&blocked, SIGPIPE) == 1;
}

class QuietWrite : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0); }
    void TearDown() override {
        close_reader();
        ::close(ends_[1]);
    }
    std::ptrdiff_t write(std::size_t size) { return quiet_write(ends_[1], std::string(size, 'x').data(), size); }
    void close_reader() {
        if (ends_[0] >= 0) ::close(ends_[0]);
        ends_[0] = -1;
    }

private:
    int ends_[2] = {-1, -1};
};

TEST_F(QuietWrite, LeavesTheThreadAsItWas) {
    EXPECT_EQ(write(100), 100);
    EXPECT_FALSE(is_sigpipe_blocked());
    EXPECT_LT(write(1'000'000), 1'000'000);  // a part
    EXPECT_EQ(write(100'000), -EAGAIN);
    EXPECT_FALSE(is_sigpipe_blocked());
    close_reader();
    EXPECT_EQ(write(100), -EPIPE);  // the signal would end the process
    EXPECT_FALSE(is_sigpipe_blocked());
    EXPECT_FALSE(is_sigpipe_pending());
}

TEST_F(QuietWrite, TakesNoSignalThatItHasNotCaused) {
    sigset_t sigpipe, former;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe, &former);
    close_reader();
    EXPECT_EQ(write(100), -EPIPE);
    EXPECT_FALSE(is_sigpipe_pending());  // its own
    EXPECT_TRUE(is_sigpipe_blocked());
    ::raise(SIGPIPE);
    EXPECT_EQ(write(100), -EPIPE);
    EXPECT_TRUE(is_sigpipe_pending());
    timespec at_once = {};
    EXPECT_EQ(::sigtimedwait(&sigpipe, nullptr, &at_once), SIGPIPE);
    ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

}  // namespace
}  // namespace asyncio::detail
