// Cancellation of get(), put() and join(). Every trace in this file was recorded from CPython 3.14.10: what happens,
// with the number of the loop's pass.
#include "sync/queue_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/wait_for.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

// CPython: test_queues.py, QueueGetTests.test_get_cancelled_race
TEST(QueueCancel, ACancelledGetterDoesNotSwallowTheItem) {
    run_test([]() -> Coro<> {
        Queue<std::string> queue;
        auto t1 = ensure_future(queue.get());
        auto t2 = ensure_future(queue.get());
        co_await sleep(0s);
        t1.cancel();
        co_await sleep(0s);
        EXPECT_TRUE(t1.done());
        co_await queue.put("a");
        co_await sleep(0s);
        std::string item = co_await std::move(t2);
        EXPECT_EQ(item, "a");
    });
}

// CPython: test_queues.py, QueueGetTests.test_cancelled_getters_not_being_held_in_self_getters
TEST(QueueCancel, ATimedOutGetterIsForgotten) {
    run_test([]() -> Coro<> {
        Queue<int> queue(5);
        std::string ended = co_await outcome_of(wait_for(queue.get(), 100ms));
        EXPECT_EQ(ended, "TimeoutError()");
        EXPECT_EQ(shown(queue), "maxsize=5");
    });
}

// CPython: test_queues.py, QueuePutTests.test_get_cancel_drop_one_pending_reader
TEST(QueueCancel, AGetterThatWasWokenDropsNoItem) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        auto reader = ensure_future(queue.get());
        co_await sleep(0s);
        queue.put_nowait(1);
        queue.put_nowait(2);
        reader.cancel();
        std::string ended = co_await outcome_of(reader);
        EXPECT_EQ(ended, "CancelledError()");
        int item = co_await queue.get();
        EXPECT_EQ(item, 1);
    });
}

// CPython: test_queues.py, QueuePutTests.test_get_cancel_drop_many_pending_readers
TEST(QueueCancel, AGetterThatWasWokenWakesTheNext) {
    run_test([]() -> Coro<> {
        Queue<int> queue;
        auto reader1 = ensure_future(queue.get());
        auto reader2 = ensure_future(queue.get());
        auto reader3 = ensure_future(queue.get());
        co_await sleep(0s);
        queue.put_nowait(1);
        queue.put_nowait(2);
        reader1.cancel();
        std::string ended = co_await outcome_of(reader1);
        EXPECT_EQ(ended, "CancelledError()");
        co_await reader3;
        EXPECT_EQ(reader2.result() + reader3.result(), 3);
    });
}

// CPython: test_queues.py, QueuePutTests.test_put_cancel_drop
TEST(QueueCancel, APutterThatWasWokenPutsNothingAndCanTryAgain) {
    run_test([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        auto writer = ensure_future(queue.put(2));
        co_await sleep(0s);
        EXPECT_EQ(queue.get_nowait(), 1);
        writer.cancel();
        std::string ended = co_await outcome_of(writer);
        EXPECT_EQ(ended, "CancelledError()");
        EXPECT_TRUE(queue.empty());
        co_await queue.put(2);
        EXPECT_EQ(queue.get_nowait(), 2);
        EXPECT_EQ(queue.qsize(), 0U);
    });
}

// CPython: test_queues.py, QueuePutTests.test_put_cancelled_race
TEST(QueueCancel, LeavesTheTurnOfAnotherPutterIntact) {
    run_test([]() -> Coro<> {
        Queue<std::string> queue(1);
        auto put_a = ensure_future(queue.put("a"));
        auto put_b = ensure_future(queue.put("b"));
        auto put_c = ensure_future(queue.put("X"));
        co_await sleep(0s);
        EXPECT_TRUE(put_a.done());
        EXPECT_FALSE(put_b.done());
        put_c.cancel();
        co_await sleep(0s);
        EXPECT_TRUE(put_c.done());
        EXPECT_EQ(queue.get_nowait(), "a");
        co_await sleep(0s);
        EXPECT_EQ(queue.get_nowait(), "b");
        co_await put_b;
    });
}

// CPython: test_queues.py, QueuePutTests.test_cancelled_puts_not_being_held_in_self_putters
TEST(QueueCancel, ACancelledPutterIsForgotten) {
    run_test([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        auto task = ensure_future(queue.put(1));
        co_await sleep(0s);
        EXPECT_EQ(shown(queue), "maxsize=1 _queue=[1] _putters[1] tasks=1");
        task.cancel();
        std::string ended = co_await outcome_of(task);
        EXPECT_EQ(ended, "CancelledError()");
        EXPECT_EQ(shown(queue), "maxsize=1 _queue=[1] tasks=1");
    });
}

// CPython: test_queues.py, QueuePutTests.test_cancelled_put_silence_value_error_exception
TEST(QueueCancel, APutterThatLeftTheLineAlreadyIsJustCancelled) {
    run_test([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        auto task = ensure_future(queue.put(1));
        co_await sleep(0s);
        queue.get_nowait();
        EXPECT_EQ(shown(queue), "maxsize=1 tasks=1");
        task.cancel();
        std::string ended = co_await outcome_of(task);
        EXPECT_EQ(ended, "CancelledError()");
    });
}

TEST(QueueCancel, HandsTheItemOnOnePassLater) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        auto tasks = start_each("abc", get_as, queue, trace);
        co_await passes(1);
        queue.put_nowait(1);
        tasks[0].cancel();
        trace(shown(queue));
        co_await passes(3);
        tasks[1].cancel();
        queue.put_nowait(2);
        trace(shown(queue));
        co_await passes(3);
        for (auto& task : tasks) task.cancel();
        co_await passes(2);
        trace(shown(queue));
    });
    EXPECT_EQ(text,
              "1:maxsize=0 _queue=[1] _getters[2] tasks=1, "
              "2:a CancelledError() maxsize=0 _queue=[1] _getters[1] tasks=1, 3:b 1 maxsize=0 _getters[1] tasks=1, "
              "4:maxsize=0 _queue=[2] tasks=2, 5:c 2 maxsize=0 tasks=2, 9:maxsize=0 tasks=2");
}

TEST(QueueCancel, ShowsThoseWhoWereCancelledUntilSomebodyBehindThemIsWoken) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue;
        auto tasks = start_each("abcd", get_as, queue, trace);
        co_await passes(1);
        for (std::size_t i : {0U, 1U, 3U}) tasks[i].cancel();
        trace(shown(queue));
        queue.put_nowait(7);
        trace(shown(queue));
        co_await passes(2);
        trace(shown(queue));
    });
    EXPECT_EQ(text,
              "1:maxsize=0 _getters[4], 1:maxsize=0 _queue=[7] _getters[1] tasks=1, "
              "2:a CancelledError() maxsize=0 _queue=[7] _getters[1] tasks=1, "
              "2:b CancelledError() maxsize=0 _queue=[7] _getters[1] tasks=1, "
              "2:d CancelledError() maxsize=0 _queue=[7] tasks=1, 2:c 7 maxsize=0 tasks=1, 3:maxsize=0 tasks=1");
}

TEST(QueueCancel, KeepsTheLastMessageOfAGetterThatWasWoken) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Queue<int> queue(1);
        auto work = [](std::string name, Queue<int>& used, Trace& traced) -> Coro<> {
            try {
                while (true) {
                    int item = co_await used.get();
                    traced(name, item);
                }
            } catch (...) {
                traced(name, caught(), shown(used));
            }
        };
        auto workers = start_each("xy", work, queue, trace);
        co_await passes(1);
        queue.put_nowait(1);
        workers[0].cancel("one");
        workers[0].cancel("two");
        co_await passes(2);
        try {
            co_await with(timeout(0s), [&]() -> Coro<> {
                co_await queue.put(1);
                co_await queue.put(2);
                co_await queue.put(3);
            });
        } catch (const TimeoutError&) {
            trace("timeout", shown(queue));
        }
        co_await passes(2);
        trace(shown(queue));
        for (auto& worker : workers) worker.cancel();
        co_await passes(2);
    });
    EXPECT_EQ(text,
              "2:x CancelledError('two') maxsize=1 _queue=[1] tasks=1, 3:y 1, 4:y 1, "
              "5:timeout maxsize=1 _getters[1] tasks=2, 7:maxsize=1 _getters[1] tasks=2, "
              "8:y CancelledError() maxsize=1 tasks=2");
}

/// Task number `task` is cancelled in pass number `pass`.
struct Cancel {
    int task;
    int pass;
};

/// Producers and consumers of a queue, of which some are cancelled. What was put, and was not taken, must still be
/// there.
class Traffic {
public:
    static constexpr int producers = 3;
    static constexpr int consumers = 3;
    static constexpr int each = 3;  // items
    Traffic(int maxsize, bool with_thief) : queue_(maxsize), with_thief_(with_thief) {}

    void start() {
        for (int i = 0; i < producers; ++i) tasks.push_back(create_task(produce(i * 100)));
        for (int i = 0; i < consumers; ++i) tasks.push_back(create_task(consume()));
    }
    /// In the middle of everything somebody takes and puts without waiting.
    void in_pass(int pass) {
        if (!with_thief_) return;
        if (pass % 3 == 1 && !queue_.empty()) taken_.push_back(*queue_.get_nowait());
        if (pass % 4 == 2 && !queue_.full()) {
            queue_.put_nowait(std::make_unique<int>(1000 + pass));
            put_.push_back(1000 + pass);
        }
    }
    /// Empty if all is well. `finished` says that nobody moves any more.
    std::string lost() {
        bool getter_waits = str(queue_).find("_getters") != std::string::npos;
        bool putter_waits = str(queue_).find("_putters") != std::string::npos;
        std::string text;
        if (getter_waits && !queue_.empty()) text += " somebody waits for an item that is there";
        if (putter_waits && !queue_.full()) text += " somebody waits for room that is there";
        while (!queue_.empty()) taken_.push_back(*queue_.get_nowait());
        std::sort(taken_.begin(), taken_.end());
        std::sort(put_.begin(), put_.end());
        if (taken_ != put_) {
            text += " put";
            for (int item : put_) text += " " + std::to_string(item);
            text += ", got";
            for (int item : taken_) text += " " + std::to_string(item);
        }
        return text;
    }
    std::vector<Task<>> tasks;

private:
    Coro<> produce(int first) {
        for (int i = 0; i < each; ++i) {
            co_await queue_.put(std::make_unique<int>(first + i));
            put_.push_back(first + i);
            if (first == 100) co_await sleep(0s);
        }
    }
    Coro<> consume() {
        while (true) {
            std::unique_ptr<int> item = co_await queue_.get();
            taken_.push_back(*item);
            co_await sleep(0s);
        }
    }
    Queue<std::unique_ptr<int>> queue_;
    bool with_thief_;
    std::vector<int> put_;
    std::vector<int> taken_;
};

Coro<> drive(Traffic& traffic, int duration, Cancel first, Cancel second) {
    for (int pass = 0; pass < duration; ++pass) {
        for (const Cancel& cancel : {first, second}) {
            if (cancel.pass == pass) traffic.tasks[static_cast<std::size_t>(cancel.task)].cancel();
        }
        traffic.in_pass(pass);
        co_await sleep(0s);
    }
    co_await passes(60);
}

Coro<> run_once(int maxsize, bool with_thief, bool driver_is_first, Cancel first, Cancel second, int& failures) {
    Traffic traffic(maxsize, with_thief);
    Task<> driver;
    if (driver_is_first) driver = create_task(drive(traffic, 9, first, second));
    traffic.start();
    if (!driver_is_first) driver = create_task(drive(traffic, 9, first, second));
    co_await driver;
    std::string lost = traffic.lost();
    for (auto& task : traffic.tasks) task.cancel();
    co_await passes(3);
    if (!lost.empty() && ++failures < 5) {
        ADD_FAILURE() << "maxsize " << maxsize << (with_thief ? ", a thief" : "") << ", task " << first.task
                      << " cancelled in pass " << first.pass << ", task " << second.task << " in pass " << second.pass
                      << (driver_is_first ? ", before" : ", after") << " the others:" << lost;
    }
}

/// All single cancels and all pairs, at every pass.
void cancel_everywhere(int maxsize, bool with_thief) {
    constexpr int tasks = Traffic::producers + Traffic::consumers;
    constexpr int duration = 7;
    run_test([&]() -> Coro<> {
        int failures = 0;
        for (int a = 0; a < tasks * duration; ++a) {
            for (int b = 0; b <= a; ++b) {
                for (bool driver_is_first : {true, false}) {
                    Cancel first{a % tasks, a / tasks};
                    Cancel second{b % tasks, b == a ? -1 : b / tasks};
                    co_await run_once(maxsize, with_thief, driver_is_first, first, second, failures);
                }
            }
        }
        EXPECT_EQ(failures, 0);
    });
}

TEST(QueueCancelEverywhere, LosesNoItemWithRoomForOne) { cancel_everywhere(1, false); }
TEST(QueueCancelEverywhere, LosesNoItemWithRoomForTwo) { cancel_everywhere(2, false); }
TEST(QueueCancelEverywhere, LosesNoItemWithRoomForAll) { cancel_everywhere(0, false); }
TEST(QueueCancelEverywhere, LosesNoItemThoughSomebodyDoesNotQueue) { cancel_everywhere(1, true); }

TEST(QueueCancelEverywhere, AlwaysEndsWhenItIsShutDown) {
    run_test([]() -> Coro<> {
        for (int pass = 0; pass < 8; ++pass) {
            for (int cancelled = 0; cancelled < 6; ++cancelled) {
                for (bool immediate : {false, true}) {
                    Queue<int> queue(1);
                    std::vector<Task<>> tasks;
                    auto consume = [&]() -> Coro<> {
                        while (true) {
                            co_await queue.get();
                            queue.task_done();
                        }
                    };
                    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(put_all(queue, 3)));
                    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(consume));
                    co_await passes(pass);
                    tasks[static_cast<std::size_t>(cancelled)].cancel();
                    queue.shutdown(immediate);
                    co_await passes(20);
                    for (auto& task : tasks) EXPECT_TRUE(task.done()) << pass << " " << cancelled;
                    co_await gather(return_exceptions, tasks);
                    co_await queue.join();
                }
            }
        }
    });
}

}  // namespace
