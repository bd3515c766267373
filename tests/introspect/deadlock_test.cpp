// Tasks that can never go on: what is said of them, and of those that merely wait nothing.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "introspect/deadlock_support.h"
#include "introspect/plain_text.h"
#include "support/run_test.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::deadlock_of;
using support::plain;
using support::run_test;

/// The texts of those that are found while others run.
std::vector<std::string> found() {
    std::vector<std::string> texts;
    for (const Deadlock& deadlock : find_deadlocks()) texts.push_back(plain(deadlock.text));
    return texts;
}

Coro<> take_both(Lock& first, Lock& second) {
    auto one = co_await first.guard();
    co_await sleep(1ms);
    auto other = co_await second.guard();
}

TEST(Deadlock, OfTwoTasksAndTwoLocks) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Lock a;
        Lock b;
        co_await with(TaskGroup(), [&](TaskGroup& group) {
            group.create_task(take_both(a, b), {.name = "A"});
            group.create_task(take_both(b, a), {.name = "B"});
        });
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 3 tasks wait\n"
              "  'A' waits for <Lock locked by 'B'> at HERE, taken at HERE; "
              "'B' waits for <Lock locked by 'A'> at HERE, taken at HERE\n"
              "  'main' waits for <TaskGroup tasks=2> at HERE");
}

TEST(Deadlock, NamesTheLinesWhereItWaitsAndWhereTheLockWasTaken) {
    run_test([]() -> Coro<> {
        Lock a;
        Lock b;
        int waits = 0;
        Task<> one = create_task(
            [&]() -> Coro<> {
                co_await with(a, [&]() -> Coro<> {
                    co_await sleep(1ms);
                    waits = __LINE__ + 1;
                    co_await with(b, [] {});
                });
            },
            {.name = "one"});
        Task<> other = create_task(take_both(b, a));
        co_await sleep(1s);
        std::vector<Deadlock> deadlocks = find_deadlocks();
        EXPECT_EQ(deadlocks.size(), 1U);
        std::string text = deadlocks.at(0).text;
        StackEntry taken = one.get_stack().front();
        EXPECT_TRUE(std::regex_search(text, std::regex("'one' waits for .* at [^ ]*:" + std::to_string(waits) + ",")))
            << text;
        EXPECT_TRUE(text.ends_with("taken at " + taken.file + ":" + std::to_string(taken.line))) << text;
        EXPECT_TRUE(deadlocks[0].tasks == (std::vector<AnyTask>{one, other}));
        one.cancel();
        other.cancel();
        co_await wait(one, other);
    });
}

TEST(Deadlock, OfALockThatIsTakenTwice) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Lock lock;
        co_await lock.acquire();
        co_await lock.acquire();
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Lock locked by 'main'> at HERE, taken at HERE");
}

TEST(Deadlock, OfTheLockOfAConditionThatIsNotified) {
    auto main = []() -> Coro<> {
        Condition condition;
        Lock other;
        current_task().set_name("main");
        co_await other.acquire();
        Task<> waits = create_task(
            [&]() -> Coro<> {
                auto guard = co_await condition.guard();
                co_await condition.wait();
            },
            {.name = "waits"});
        co_await sleep(0s);
        co_await condition.acquire();
        condition.notify();
        co_await waits;
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 2 tasks wait\n"
              "  'main' waits for the task 'waits' at HERE; "
              "'waits' waits for <Lock locked by 'main'> at HERE, taken at HERE");
}

TEST(Deadlock, OfTasksThatAwaitEachOther) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Task<> a;
        Task<> b;
        Task<> c;
        auto await_that = [](Task<>& other) -> Coro<> { co_await other; };
        a = create_task(await_that(b), {.name = "a"});
        b = create_task(await_that(c), {.name = "b"});
        c = create_task(await_that(a), {.name = "c"});
        co_await Event().wait();
    };
    // run() cannot cancel a circle either, and throws the deadlock all the same.
    EXPECT_EQ(
        deadlock_of(main()),
        "Deadlock: nothing can run any more, and 4 tasks wait\n"
        "  'a' waits for the task 'b' at HERE; 'b' waits for the task 'c' at HERE; 'c' waits for the task 'a' at HERE\n"
        "  'main' waits for <Event unset, waiters:1> at HERE");
}

TEST(Deadlock, OfTasksThatAwaitEachOtherIsFoundWhileOthersRun) {
    run_test([]() -> Coro<> {
        Task<> a;
        Task<> b;
        Event end;
        auto await_that = [](Task<>& other, Event& other_end) -> Coro<> {
            co_await wait(other, create_task(other_end.wait()), {.return_when = FIRST_COMPLETED});
        };
        a = create_task(await_that(b, end), {.name = "a"});
        b = create_task([](Task<>& other) -> Coro<> { co_await gather(shield(other), sleep(1s)); }, std::ref(a));
        b.set_name("b");
        co_await sleep(1ms);
        EXPECT_EQ(found(), std::vector<std::string>());  // the event, or the sleep, may still be the end of it
        end.set();
        co_await gather(a, b);
    });
}

TEST(Deadlock, ThroughGatherShieldAndWait) {
    run_test([]() -> Coro<> {
        Lock lock;
        current_task().set_name("main");
        co_await lock.acquire();
        Task<> inner = create_task([&]() -> Coro<> { co_await lock.acquire(); }, {.name = "inner"});
        Task<> holder = create_task(
            [&]() -> Coro<> {
                Lock second;
                co_await second.acquire();
                Task<> third = create_task([&]() -> Coro<> { co_await second.acquire(); }, {.name = "third"});
                co_await gather(shield(third));
            },
            {.name = "holder"});
        co_await sleep(1ms);
        std::vector<std::string> texts = found();
        EXPECT_EQ(texts.size(), 1U);
        EXPECT_EQ(texts.at(0),
                  "'holder' waits for <_GatheringFuture pending tasks=1 cb=[1 callback]> at HERE, and so for 'third'; "
                  "'third' waits for <Lock locked by 'holder'> at HERE, taken at HERE");
        lock.release();
        holder.cancel();
        co_await wait(inner, holder);
    });
}

TEST(Deadlock, OfAGroupWhoseTaskWantsWhatItsParentHolds) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Lock lock;
        auto guard = co_await lock.guard();
        auto want = [&]() -> Coro<> { co_await lock.acquire(); };
        co_await with(TaskGroup(), [&](TaskGroup& group) { group.create_task(want, TaskOptions{.name = "child"}); });
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 2 tasks wait\n"
              "  'main' waits for <TaskGroup tasks=1> at HERE, and so for 'child'; "
              "'child' waits for <Lock locked by 'main'> at HERE, taken at HERE");
}

TEST(Deadlock, OfWhatNobodyWillEverDo) {
    auto event = []() -> Coro<> {
        current_task().set_name("main");
        Event never;
        co_await never.wait();
    };
    EXPECT_EQ(deadlock_of(event()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Event unset, waiters:1> at HERE");
    auto queue = []() -> Coro<> {
        current_task().set_name("main");
        Queue<int> full(1);
        co_await full.put(1);
        co_await full.put(2);
    };
    EXPECT_EQ(deadlock_of(queue()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Queue in put(), items:1/1> at HERE");
    auto future = []() -> Coro<> {
        current_task().set_name("main");
        co_await get_running_loop().create_future();
    };
    EXPECT_EQ(deadlock_of(future()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Future pending cb=[1 callback]> at HERE");
    auto barrier = []() -> Coro<> {
        current_task().set_name("main");
        Barrier two(2);
        co_await two.wait();
    };
    EXPECT_EQ(deadlock_of(barrier()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Barrier waiters:1/2> at HERE");
    auto semaphore = []() -> Coro<> {
        current_task().set_name("main");
        Semaphore one;
        co_await one.acquire();
        co_await one.acquire();
    };
    EXPECT_EQ(deadlock_of(semaphore()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Semaphore locked, waiters:1> at HERE");
    auto join = []() -> Coro<> {
        current_task().set_name("main");
        Queue<int> items;
        items.put_nowait(1);
        co_await items.get();
        co_await items.join();
    };
    EXPECT_EQ(deadlock_of(join()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Queue in join(), tasks:1> at HERE");
}

TEST(Deadlock, OfALockWhoseOwnerIsOver) {
    auto main = []() -> Coro<> {
        current_task().set_name("main");
        Lock lock;
        co_await create_task([&]() -> Coro<> { co_await lock.acquire(); });
        co_await lock.acquire();
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Lock locked by a task that is over> at HERE");
}

TEST(Deadlock, OfATaskThatWaitsForWhatHasDiedIsFoundWhileOthersRun) {
    run_test([]() -> Coro<> {
        auto event = std::make_unique<Event>();
        Task<> task = create_task([](Event* dies) -> Coro<> { co_await dies->wait(); }, event.get());
        task.set_name("lost");
        co_await sleep(0s);
        EXPECT_EQ(found(), std::vector<std::string>());
        event.reset();
        EXPECT_EQ(found(), std::vector<std::string>{"'lost' waits for <Event that was destroyed> at HERE"});
        task.cancel();
        co_await wait(task);
    });
}

TEST(Deadlock, OfFivePhilosophersIsOneCircle) {
    run_test([]() -> Coro<> {
        std::vector<std::unique_ptr<Lock>> forks;
        for (int i = 0; i < 5; ++i) forks.push_back(std::make_unique<Lock>());
        std::vector<Task<>> philosophers;
        for (std::size_t i = 0; i < 5; ++i) {
            philosophers.push_back(create_task(take_both(*forks[i], *forks[(i + 1) % 5])));
        }
        co_await sleep(1s);
        std::vector<Deadlock> deadlocks = find_deadlocks();
        EXPECT_EQ(deadlocks.size(), 1U);
        EXPECT_EQ(deadlocks.at(0).tasks.size(), 5U);
        for (const Task<>& philosopher : philosophers) philosopher.cancel();
        co_await wait(philosophers);
    });
}

TEST(Deadlock, IsSaidOnTheLogOnceAndAThreadMayStillEndIt) {
    static std::vector<std::string> log;
    set_log_handler([](LogLevel, std::string_view text) { log.push_back(plain(std::string(text))); });
    EventLoop loop;
    Task<> main = loop.create_task([]() -> Coro<> {
        current_task().set_name("main");
        co_await Event().wait();
    });
    std::thread cancels([&] {
        std::this_thread::sleep_for(1500ms);
        loop.call_soon_threadsafe([&] { main.cancel(); });
    });
    EXPECT_THROW(loop.run_until_complete(main), CancelledError);
    cancels.join();
    EXPECT_EQ(log, std::vector<std::string>());  // another thread can wake it, and does
    Task<> again = loop.create_task([]() -> Coro<> {
        current_task().set_name("main");
        Lock lock;
        co_await lock.acquire();
        co_await lock.acquire();
    });
    std::thread cancels_again([&] {
        for (int i = 0; i < 2; ++i) {
            std::this_thread::sleep_for(1500ms);
            loop.call_soon_threadsafe([] {});
        }
        loop.call_soon_threadsafe([&] { again.cancel(); });
    });
    EXPECT_THROW(loop.run_until_complete(again), CancelledError);
    cancels_again.join();
    set_log_handler(nullptr);
    EXPECT_EQ(log, std::vector<std::string>{"Deadlock: tasks wait for each other; 1 task waits\n"
                                            "  'main' waits for <Lock locked by 'main'> at HERE, taken at HERE"});
}

TEST(Deadlock, IsNoneOfProgramsThatMerelyWait) {
    auto timers = []() -> Coro<> { co_await sleep(20ms); };
    EXPECT_EQ(deadlock_of(timers()), "none");
    auto timeouts = []() -> Coro<> {
        Lock lock;
        co_await lock.acquire();
        try {
            co_await wait_for(lock.acquire(), 20ms);
        } catch (const TimeoutError&) {
        }
    };
    EXPECT_EQ(deadlock_of(timeouts()), "none");
    auto threads = []() -> Coro<> { co_await to_thread([] { std::this_thread::sleep_for(20ms); }); };
    EXPECT_EQ(deadlock_of(threads()), "none");
    auto sockets = []() -> Coro<> {
        auto pair = socketpair();
        auto& [first, second] = pair;
        Task<std::string> reads = create_task(sock_recv(first, 10));
        get_running_loop().call_later(20ms, [&] { static_cast<void>(::write(second.fileno(), "x", 1)); });
        co_await reads;
    };
    EXPECT_EQ(deadlock_of(sockets()), "none");
    auto servers = []() -> Coro<> {
        Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
        std::thread client([address = server.sockets().at(0).getsockname()] {
            std::this_thread::sleep_for(20ms);
            run([](SocketAddress where) -> Coro<> { co_await open_connection(where.host(), where.port()); }(address));
        });
        Event never;
        try {
            co_await wait_for(never.wait(), 100ms);
        } catch (const TimeoutError&) {
        }
        client.join();
    };
    EXPECT_EQ(deadlock_of(servers()), "none");
    auto signals = []() -> Coro<> {
        Event event;
        get_running_loop().add_signal_handler(SIGUSR1, [&] { event.set(); });
        std::thread sends([] {
            std::this_thread::sleep_for(20ms);
            ::kill(::getpid(), SIGUSR1);
        });
        co_await event.wait();
        sends.join();
        get_running_loop().remove_signal_handler(SIGUSR1);
    };
    EXPECT_EQ(deadlock_of(signals()), "none");
}

}  // namespace
