#include <asyncio/errors/exceptions.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

struct Ended {
    int status;
    std::string said;
};
template <class Main>
Ended ended(Main main) {
    testing::internal::CaptureStderr();
    int status = run_main(main(), {.clock = VirtualClock{}});
    return {status, testing::internal::GetCapturedStderr()};
}

TEST(RunMain, GivesNoughtOrWhatTheCoroutineGives) {
    Ended nought = ended([]() -> Coro<> { co_await sleep(1s); });
    EXPECT_EQ(nought.status, 0);
    EXPECT_EQ(nought.said, "");
    EXPECT_EQ(ended([]() -> Coro<int> { co_return 7; }).status, 7);
}

Coro<> fails() {
    co_await sleep(1s);
    throw ValueError("boom");
}

TEST(RunMain, PrintsTheTracebackOfWhatLeavesItAndGivesOne) {
    Ended end = ended([]() -> Coro<> { co_await fails(); });
    EXPECT_EQ(end.status, 1);
    EXPECT_EQ(end.said.find("Traceback (most recent call last):\n"), 0u) << end.said;
    EXPECT_NE(end.said.find(", in fails"), std::string::npos) << end.said;
    EXPECT_TRUE(end.said.ends_with("\nValueError: boom\n")) << end.said;
    EXPECT_EQ(ended([]() -> Coro<> {
                  throw 5;
                  co_return;
              }).status,
              1);
}

TEST(RunMain, GivesTheCodeOfASystemExitInSilence) {
    Ended end = ended([]() -> Coro<> {
        co_await sleep(1s);
        throw SystemExit(3);
    });
    EXPECT_EQ(end.status, 3);
    EXPECT_EQ(end.said, "");
    EXPECT_EQ(ended([]() -> Coro<> {
                  throw SystemExit();
                  co_return;
              }).status,
              0);
}

TEST(RunMain, GivesHundredAndThirtyAfterCtrlC) {
    Ended end = ended([]() -> Coro<> {
        std::raise(SIGINT);
        co_await sleep(1h);
    });
    EXPECT_EQ(end.status, 130);
    EXPECT_TRUE(end.said.ends_with("KeyboardInterrupt\n")) << end.said;
}

}  // namespace
