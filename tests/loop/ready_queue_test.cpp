#include <asyncio/core/event_loop.h>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace asyncio;

TEST(ReadyQueue, AReadyOrderOfYoursChoosesWhatRunsNext) {
    class LastFirst : public ReadyOrder {
    public:
        std::size_t choose(std::size_t count) override { return count - 1; }
    };
    LastFirst last_first;
    EventLoop loop({.ready_order = &last_first});
    std::string order;
    for (char name : {'a', 'b', 'c'}) loop.call_soon([&order, name] { order += name; });
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(order, "cba");
}

}  // namespace
