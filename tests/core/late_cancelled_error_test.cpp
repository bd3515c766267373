// What the runtime has put by for exceptions is enough, however many tasks are cancelled at once without memory.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

namespace asyncio {
namespace {

using namespace std::chrono_literals;

Coro<> sleep_long() { co_await sleep(1h); }

Coro<> fill_group_until_memory_lacks(bool and_let_them_begin) {
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        for (int i = 1;; ++i) {
            group.create_task(sleep_long());
            if (and_let_them_begin && i % 1000 == 0) co_await sleep(0);
        }
    });
}

/// 3 if the group ended by the errors of which one is that there was no memory.
int end_of_group(bool and_let_them_begin) {
    rlimit limit = {40 << 20, 40 << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
        run(fill_group_until_memory_lacks(and_let_them_begin));
    } catch (const ExceptionGroup&) {
        return 3;
    }
    return 4;
}

class LateCancelledError : public testing::Test {
protected:
    void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        GTEST_SKIP() << "a sanitizer needs more address space";
#endif
        GTEST_FLAG_SET(death_test_style, "threadsafe");
    }
};

TEST_F(LateCancelledError, NeedsNoMemoryForTasksThatHaveNotBegun) {
    EXPECT_EXIT(::_exit(end_of_group(false)), testing::ExitedWithCode(3), "");
}

TEST_F(LateCancelledError, NeedsNoMemoryForTasksThatHaveBegun) {
    EXPECT_EXIT(::_exit(end_of_group(true)), testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace asyncio
