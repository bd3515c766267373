#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

namespace {

using namespace asyncio;
using asyncio::sleep;  // not the one of <unistd.h>

TEST(Sleep, OfAPlainNumberIsOursAlsoWherePosixHasAnother) {
    run(
        []() -> Coro<> {
            TimePoint start = get_running_loop().time();
            co_await sleep(2);
            co_await sleep(0.5);
            co_await sleep(1L);
            EXPECT_EQ((get_running_loop().time() - start).count(), 3.5);
        }(),
        {.clock = VirtualClock{}});
}

}  // namespace
