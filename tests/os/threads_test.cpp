#include "detail/threads.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace asyncio::detail {
namespace {

TEST(InMainThread, IsTrueInTheFirstThreadOnly) {
    EXPECT_TRUE(in_main_thread());
    std::thread thread([] { EXPECT_FALSE(in_main_thread()); });
    thread.join();
    EXPECT_TRUE(in_main_thread());
}

TEST(InMainThread, TheThreadThatForksIsTheFirstOfItsChild) {
    std::thread thread([] {
        EXPECT_FALSE(in_main_thread());
        pid_t child = ::fork();
        if (child == 0) ::_exit(in_main_thread() ? 0 : 1);
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
        EXPECT_FALSE(in_main_thread());
    });
    thread.join();
}

}  // namespace
}  // namespace asyncio::detail
