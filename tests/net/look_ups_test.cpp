// What a loop keeps of the look-ups of names that are under way.
#include "net/look_ups.h"

#include "loop/loop_core.h"

#include <asyncio/core/event_loop.h>
#include <gtest/gtest.h>

#include <ctime>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

using namespace asyncio;
using detail::LookUps;
using detail::LookUpWait;

namespace {

/// Begins nothing by itself.
class IdleExecutor final : public Executor {
public:
    void submit(ExecutorJob& job) override { jobs_.insert(&job); }
    bool try_cancel(ExecutorJob& job) noexcept override { return jobs_.erase(&job) != 0; }
    void shutdown(bool) override {}
    void run_all() {
        for (ExecutorJob* job : std::exchange(jobs_, {})) job->run();
    }

private:
    std::set<ExecutorJob*> jobs_;
};

detail::AddressQuery question(const std::string& host) {
    detail::AddressQuery query;
    query.host = detail::OwnedHost(Host(host));
    query.port = detail::OwnedPort(Port(80));
    return query;
}

double seconds_of_processor() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What it costs to ask for so many different names at once.
double cost_of(int names) {
    IdleExecutor executor;
    EventLoop loop({.executor = &executor});
    double cost = 0;
    loop.call_soon([&] {
        LookUps& look_ups = detail::running_core().service<LookUps>();
        std::deque<LookUpWait> waits;
        double begin = seconds_of_processor();
        for (int i = 0; i < names; ++i) {
            waits.emplace_back(look_ups.find_or_begin(question("host" + std::to_string(i))));
        }
        cost = seconds_of_processor() - begin;
        waits.clear();
        loop.call_soon([&] { loop.call_soon([&] { loop.stop(); }); });  // the executor is asked to take them back
    });
    loop.run_forever();
    return cost;
}

TEST(LookUps, ManyNamesAtOnceCostWhatTheyCostOneByOne) {
    double few = cost_of(1'000);
    double many = cost_of(16'000);
    EXPECT_LT(many, 60 * few);  // 16 times as many; if each looked at all the others, 256 times
}

/// Ends with its loop, and gives up a look-up then.
class Asker final : public detail::LoopResource {
public:
    explicit Asker(detail::LoopCore& loop) { loop.resources.push_back(*this); }
    void loop_is_closing() noexcept override {
        unlink();
        wait.reset();
    }
    std::string repr() const override { return "<Asker>"; }
    std::optional<LookUpWait> wait;
};

TEST(LookUps, ALookUpMayBeGivenUpWhileItsLoopCloses) {
    IdleExecutor executor;
    EventLoop loop({.executor = &executor});
    std::unique_ptr<Asker> asker;
    loop.call_soon([&] {
        detail::LoopCore& core = detail::running_core();
        asker = std::make_unique<Asker>(core);
        asker->wait.emplace(core.service<LookUps>().find_or_begin(question("127.0.0.1")));
        loop.stop();
    });
    loop.run_forever();
    executor.run_all();  // it is over, and nobody on the loop has heard of that yet
    loop.close();
    EXPECT_FALSE(asker->wait);
}

}  // namespace
