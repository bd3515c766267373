// Who has a turn beside tasks that wait for what is ready at any time.
#include <asyncio/asyncio.h>
#include <asyncio/net/ready.h>

#include <gtest/gtest.h>

#include <string>

#include "net/net_support.h"
#include "net/pipe_support.h"

using namespace asyncio;
using support::NetTest;
using support::outcome_of;
using support::run_net;

namespace {

using ReadyTurns = NetTest;
using Pipe = support::PipeEnds;

Coro<> wait_and_never_read(int fd, long& times) {
    while (true) {
        co_await readable(fd);
        ++times;
    }
}

TEST_F(ReadyTurns, WhoNeverReadsHoldsNobodyUpAndCanBeCancelled) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        pipe.write("x");
        long times = 0;
        Task<> task = create_task(wait_and_never_read(pipe.reader(), times));
        co_await asyncio::sleep(0);
        co_await asyncio::sleep(0);
        EXPECT_EQ(times, 2001);  // and one that had to wait
        task.cancel();
        std::string how = co_await outcome_of(task);
        EXPECT_EQ(how, "CancelledError()");
    });
}

// Those who read what is there are not held up: nothing of theirs comes later than before.
TEST_F(ReadyTurns, AThousandInOnePassDoNotWait) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        bool others = false;
        get_running_loop().call_soon([&] { others = true; });
        for (int i = 0; i < 1000; ++i) {
            pipe.write("x");
            co_await readable(pipe.reader());
            std::string text = pipe.read();
            EXPECT_EQ(text, "x");
        }
        EXPECT_FALSE(others);
        co_await asyncio::sleep(0);
        EXPECT_TRUE(others);
    });
}

}  // namespace
