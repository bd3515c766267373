#include <asyncio/core/event_loop.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/to_thread.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "net/fake_names.h"
#include "net/net_support.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::FakeNames;
using support::outcome_of;
using support::run_net;
using support::Trace;

/// In the place of the C library's, for the whole program: asks that one for all that it does not know.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
    using Function = int(const char*, const char*, const addrinfo*, addrinfo**);
    static auto* const real = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    std::string name = host != nullptr ? host : "";
    if (!name.ends_with(".test") || (hints->ai_flags & AI_NUMERICHOST) != 0) return real(host, service, hints, found);
    char thread[16] = "";
    ::pthread_getname_np(::pthread_self(), thread, sizeof thread);
    if (int code = FakeNames::instance().ask(name, thread)) return code;
    return real("127.0.0.1", service, hints, found);
}

namespace {

constexpr int threads_of_a_loop = 8;

class LookUpExecutorTest : public support::NetTest {
protected:
    void SetUp() override {
        NetTest::SetUp();
        names.begin_test();
    }
    void TearDown() override {
        names.open();
        EXPECT_TRUE(names.wait_until_pending(0));
        NetTest::TearDown();
    }
    FakeNames& names = FakeNames::instance();
};

Coro<std::string> address_of(std::string name) {
    auto found = co_await getaddrinfo(name, 80, {.type = SocketKind::STREAM});
    co_return repr(found.at(0).address);
}

/// Until so many look-ups are on their threads.
Coro<> until_pending(int count) {
    co_await sleep(0s);
    EXPECT_TRUE(FakeNames::instance().wait_until_pending(count));
}

/// Asks for what never ends, and gives it up when so many look-ups are on their threads.
Coro<> give_up(std::string name, int pending) {
    auto asking = create_task(address_of(name));
    co_await until_pending(pending);
    asking.cancel();
    co_await outcome_of(asking);
}

// python/cpython#112169
TEST_F(LookUpExecutorTest, ANameDoesNotQueueBehindTheWorkOfToThread) {
    run_net([&]() -> Coro<> {
        support::Gate gate;
        std::vector<Task<>> busy;
        for (int i = 0; i < 100; ++i) busy.push_back(create_task(to_thread([&gate] { gate.wait(); })));
        co_await sleep(0s);
        std::string found = co_await outcome_of(wait_for(address_of("quick.test"), 10s));
        gate.open();
        EXPECT_EQ(found, "nothing");
        EXPECT_EQ(names.threads(), std::vector<std::string>{"asyncio-dns_0"});
        for (Task<>& task : busy) co_await task;
    });
}

TEST_F(LookUpExecutorTest, ThoseWhoAskTheSameShareALookUp) {
    run_net([&]() -> Coro<> {
        std::string order;
        auto ask = [&](char who, std::string name, int port, AddressOptions options) -> Coro<> {
            auto found = co_await getaddrinfo(name, port, options);
            order += who;
            EXPECT_EQ(found.at(0).address.port(), port);
        };
        AddressOptions stream{.type = SocketKind::STREAM};
        std::vector<Task<>> tasks;
        for (char who : {'a', 'b', 'c'}) tasks.push_back(create_task(ask(who, "slow.test", 80, stream)));
        co_await until_pending(1);
        tasks.push_back(create_task(ask('d', "slow.test", 81, stream)));
        tasks.push_back(create_task(ask('e', "slow2.test", 80, stream)));
        tasks.push_back(create_task(ask('f', "slow.test", 80, AddressOptions{.type = SocketKind::DGRAM})));
        tasks.push_back(create_task(ask('g', "slow.test", 80, stream)));
        co_await until_pending(4);
        names.open();
        for (Task<>& task : tasks) co_await task;
        std::string shared;
        for (char who : order) shared += who == 'a' || who == 'b' || who == 'c' || who == 'g' ? who : '\0';
        std::erase(shared, '\0');
        EXPECT_EQ(shared, "abcg");
        EXPECT_EQ(names.times_asked("slow.test"), 3);
        // What is over is asked anew.
        co_await address_of("slow.test");
        EXPECT_EQ(names.times_asked("slow.test"), 4);
    });
}

TEST_F(LookUpExecutorTest, AFirstCallerThatIsCancelledDoesNotBreakTheOthers) {
    run_net([&]() -> Coro<> {
        auto first = create_task(address_of("slow.test"));
        auto second = create_task(address_of("slow.test"));
        co_await until_pending(1);
        Trace trace;
        first.cancel();
        std::string how = co_await outcome_of(first);
        trace(how);
        EXPECT_EQ(trace.str(), "2:CancelledError()");
        EXPECT_FALSE(second.done());
        auto third = create_task(address_of("slow.test"));
        co_await sleep(0s);
        names.open();
        std::string found = co_await second;
        EXPECT_EQ(found, "('127.0.0.1', 80)");
        std::string found_too = co_await third;
        EXPECT_EQ(found_too, found);
        EXPECT_EQ(names.times_asked("slow.test"), 1);
    });
}

TEST_F(LookUpExecutorTest, WhoTriesAgainFindsTheLookUpThatWasGivenUp) {
    run_net([&]() -> Coro<> {
        for (int i = 0; i < 3 * threads_of_a_loop; ++i) {
            auto asking = create_task(address_of("slow.test"));
            co_await until_pending(1);
            asking.cancel();
            std::string how = co_await outcome_of(asking);
            EXPECT_EQ(how, "CancelledError()");
        }
        std::string other = co_await address_of("quick.test");
        EXPECT_EQ(other, "('127.0.0.1', 80)");
        names.open();
        std::string found = co_await address_of("slow.test");
        EXPECT_EQ(found, other);
        EXPECT_LE(names.times_asked("slow.test"), 2);  // the second only if the first was over already
    });
}

TEST_F(LookUpExecutorTest, AFailureIsEverybodysAndNobodysIfNobodyWaits) {
    support::Reports reports;
    run_net([&]() -> Coro<> {
        reports.listen(get_running_loop());
        auto one = create_task(address_of("none.test"));
        auto other = create_task(address_of("none.test"));
        std::string first = co_await outcome_of(one);
        std::string second = co_await outcome_of(other);
        EXPECT_EQ(first.substr(0, 9), "gaierror(");
        EXPECT_EQ(first, second);
        auto left = create_task(address_of("none.test"));
        co_await sleep(0s);
        left.cancel();
        co_await outcome_of(left);
        names.wait_until_pending(0);
        co_await sleep(1ms);
    });
    EXPECT_EQ(reports.str(), "");
}

TEST_F(LookUpExecutorTest, ALookUpThatHasNotBegunIsTakenBack) {
    run_net([&]() -> Coro<> {
        std::vector<Task<std::string>> busy;
        for (int i = 0; i < threads_of_a_loop; ++i) {
            busy.push_back(create_task(address_of("slow" + std::to_string(i) + ".test")));
        }
        co_await until_pending(threads_of_a_loop);
        auto waiting = create_task(address_of("late.test"));
        co_await sleep(0s);
        waiting.cancel();
        co_await outcome_of(waiting);
        co_await sleep(0s);
        names.open();
        for (auto& task : busy) co_await task;
        EXPECT_EQ(names.times_asked("late.test"), 0);
    });
}

TEST_F(LookUpExecutorTest, ItCanBeGivenATime) {
    run_net([&]() -> Coro<> {
        std::string how = co_await outcome_of(getaddrinfo("slow.test", 80, {.timeout = 1ms}));
        EXPECT_EQ(how, "TimeoutError(\"the look-up of 'slow.test' took too long\")");
        how = co_await outcome_of(wait_for(open_connection("slow.test", 80), 1ms));
        EXPECT_EQ(how, "TimeoutError()");
        auto found = co_await getaddrinfo("quick.test", 80, {.timeout = 1h});
        EXPECT_EQ(found.at(0).address.port(), 80);
    });
}

TEST_F(LookUpExecutorTest, OneThatNeverEndsDoesNotHoldTheEndOfTheProgram) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "a child of a process with threads may start none under TSan";
#endif
    auto program = [] {
        run_net([]() -> Coro<> { co_await give_up("slow.test", 1); });
        std::exit(7);
    };
    EXPECT_EXIT(program(), testing::ExitedWithCode(7), "");
}

TEST_F(LookUpExecutorTest, OneThatNeverEndsDoesNotHoldTheEndOfRun) {
    run_net([&]() -> Coro<> {
        for (int i = 1; i <= threads_of_a_loop; ++i) co_await give_up("slow" + std::to_string(i) + ".test", i);
        co_await give_up("slow9.test", threads_of_a_loop);  // no thread is left for it
    });
    EXPECT_EQ(names.times_asked("slow8.test"), 1);
    EXPECT_EQ(names.times_asked("slow9.test"), 0);
}
TEST_F(LookUpExecutorTest, AnExecutorOfTheUsersIsAsked) {
    ThreadPoolExecutor executor(1, "mine");
    auto main = [&]() -> Coro<> {
        auto one = create_task(address_of("slow.test"));
        auto other = create_task(address_of("slow.test"));
        co_await until_pending(1);
        names.open();
        co_await one;
        co_await other;
        EXPECT_EQ(names.threads(), std::vector<std::string>{"mine_0"});
        get_running_loop().set_default_executor(executor);
    };
    EventLoop loop({.executor = &executor});
    loop.run_until_complete(main());
    EventLoop later;
    later.set_default_executor(executor);
    names.begin_test();
    later.run_until_complete(main());
}

/// Runs what it is given on the spot, and finds the loop in between.
class OnTheSpot final : public Executor {
public:
    void submit(ExecutorJob& job) override { job.run(); }
    bool try_cancel(ExecutorJob&) noexcept override { return false; }
    void shutdown(bool) override {}
};

TEST_F(LookUpExecutorTest, AnAnswerComesInTheSameTurnAsThatOfAnyCallOnAThread) {
    OnTheSpot executor;
    EventLoop loop({.executor = &executor});
    auto main = [&]() -> Coro<> {
        Trace trace;
        auto call = [&]() -> Coro<> {
            co_await to_thread([] {});
            trace("call");
        };
        auto ask = [&]() -> Coro<> {
            co_await address_of("quick.test");
            trace("name");
        };
        auto one = create_task(call());
        auto two = create_task(ask());
        auto three = create_task(call());
        for (auto& task : {one, two, three}) co_await task;
        EXPECT_EQ(trace.str(), "1:call, 1:name, 1:call");
    };
    loop.run_until_complete(main());
}

TEST_F(LookUpExecutorTest, AForkedChildAsksAnew) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "a child of a process with threads may start none under TSan";
#endif
    EventLoop loop;
    loop.run_until_complete(give_up("slow.test", 1));
    pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        names.begin_in_child();
        auto again = [&]() -> Coro<std::string> {
            auto asking = create_task(address_of("slow.test"));
            co_await until_pending(2);  // one of them stands still for ever
            FakeNames::instance().open();
            co_return co_await asking;
        };
        bool well = loop.run_until_complete(again()) == "('127.0.0.1', 80)";
        ::_exit(well ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

}  // namespace
