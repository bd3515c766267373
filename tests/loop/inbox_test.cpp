#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/run_test.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;
using support::run_test;

namespace {

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe
TEST(ThreadSafe, ACallbackOfAnotherThreadWakesTheLoopAndRunsInOrder) {
    EventLoop loop;
    std::string order;
    Gate running;
    std::thread thread([&] {
        running.wait();
        loop.call_soon_threadsafe([&] { order += 'a'; });
        loop.call_soon_threadsafe([&](char name) { order += name; }, 'b');
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.call_soon([&] { running.open(); });
    loop.run_forever();
    thread.join();
    EXPECT_EQ(order, "ab");
}

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe_same_thread
TEST(ThreadSafe, InTheLoopsOwnThreadItKeepsTheOrderWithCallSoon) {
    std::string order;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        loop.call_soon([&] { order += 'a'; });
        loop.call_soon_threadsafe([&] { order += 'b'; });
        loop.call_soon([&] { order += 'c'; });
        co_await sleep(0s);
    });
    EXPECT_EQ(order, "abc");
    EventLoop loop;
    loop.call_soon_threadsafe([&](char name) { order += name; }, 'd');
    loop.call_soon([&](char name) { order += name; }, 'e');
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(order, "abcde");
}

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe
TEST(ThreadSafe, WhatAnotherThreadSentBeforeComesBefore) {
    std::string order;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        auto send = [&](char name) {
            std::thread([&, name] { loop.call_soon_threadsafe([&order, name] { order += name; }); }).join();
        };
        loop.call_soon([&] { order += 'a'; });
        send('b');
        loop.call_soon([&] { order += 'c'; });
        send('d');
        loop.call_soon_threadsafe([&] { order += 'e'; });
        co_await sleep(0s);
    });
    EXPECT_EQ(order, "abcde");
}

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_check_cancelled
// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe_handle_block_cancellation
TEST(ThreadSafe, AskingOrCancellingAHandleFromAnotherThreadWaitsWhileItsCallbackRuns) {
    EventLoop loop;
    std::thread thread([&] {
        for (bool cancels : {false, true}) {
            Gate in_callback;
            Gate about_to_ask;
            std::atomic<bool> over = false;
            Handle handle = loop.call_soon_threadsafe([&] {
                in_callback.open();
                about_to_ask.wait();
                std::this_thread::sleep_for(1ms);  // in which one that did not wait would have its answer
                over = true;
            });
            in_callback.wait();
            about_to_ask.open();
            if (cancels) {
                handle.cancel();
            } else {
                EXPECT_FALSE(handle.cancelled());
            }
            EXPECT_TRUE(over);
            EXPECT_EQ(handle.cancelled(), cancels);
        }
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    thread.join();
}

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_same_thread
TEST(ThreadSafe, ACallbackThatCancelsItselfEndsAllTheSame) {
    EventLoop loop;
    bool ended = false;
    Handle handle;
    Gate set;
    Gate started;
    std::thread thread([&] {
        handle = loop.call_soon_threadsafe([&] {
            set.wait();
            started.open();
            handle.cancel();
            ended = true;
            loop.stop();
        });
        set.open();
        started.wait();
        EXPECT_TRUE(handle.cancelled());  // asked while the callback runs: the answer comes at its end
        EXPECT_TRUE(ended);
    });
    loop.run_forever();
    thread.join();
}

// CPython: test_events.py, EventLoopTestsMixin.test_call_soon_threadsafe_handle_cancel_other_thread
TEST(ThreadSafe, ACallbackCancelledByAnotherThreadBeforeItsTurnNeverRuns) {
    EventLoop loop;
    bool ran = false;
    std::thread thread([&] {
        Gate busy;
        Gate cancelled;
        loop.call_soon_threadsafe([&] {
            busy.open();
            cancelled.wait();
        });
        busy.wait();
        Handle handle = loop.call_soon_threadsafe([&] { ran = true; });
        handle.cancel();
        EXPECT_TRUE(handle.cancelled());
        cancelled.open();
        Gate over;
        loop.call_soon_threadsafe([&] {
            loop.stop();
            over.open();
        });
        over.wait();
    });
    loop.run_forever();
    thread.join();
    EXPECT_FALSE(ran);
}

// CPython: test_events.py, EventLoopTestsMixin.test_close
TEST(ThreadSafe, AClosedLoopRefuses) {
    EventLoop loop;
    auto argument = std::make_shared<int>(1);
    loop.call_soon_threadsafe([argument] {});  // dropped
    loop.close();
    EXPECT_EQ(argument.use_count(), 1);
    std::string told;
    std::thread([&] { told = outcome([&] { return loop.call_soon_threadsafe([argument] {}); }); }).join();
    EXPECT_EQ(told, "RuntimeError('Event loop is closed')");
    EXPECT_EQ(argument.use_count(), 1);
    EXPECT_EQ(outcome([&] { return loop.call_soon([] {}); }), told);
    EXPECT_EQ(outcome([&] { return loop.call_later(1s, [] {}); }), told);
    EXPECT_EQ(outcome([&] { return loop.call_at({}, [] {}); }), told);
    EXPECT_EQ(outcome([&] { loop.run_forever(); }), told);
    EXPECT_EQ(outcome([&] { return loop.run_in_executor(nullptr, [] {}); }), told);
}

TEST(ThreadSafe, ManyThreadsLoseNothing) {
    int count = 0;
    run_test([&]() -> Coro<> {
        EventLoop& loop = get_running_loop();
        std::atomic<int> left = 8;
        Future<> done = loop.create_future<>();
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 500; ++j) {
                    Handle handle = loop.call_soon_threadsafe([&] { ++count; });
                    if (j % 7 == 0) handle.cancelled();
                }
                if (--left == 0) loop.call_soon_threadsafe([&] { done.set_result(); });
            });
        }
        co_await done;
        for (std::thread& thread : threads) thread.join();
    });
    EXPECT_EQ(count, 4000);
}

// CPython: test_base_events.py, BaseEventLoopTests.test_check_thread
TEST(ThreadSafe, InDebugModeUseFromAWrongThreadThrows) {
    std::string sentence =
        "RuntimeError('Non-thread-safe operation invoked on an event loop other than the current one')";
    for (bool debug : {true, false}) {
        EventLoop loop;
        loop.set_debug(debug);
        Gate running;
        Future<> future = loop.create_future<>();
        std::vector<std::string> told;
        std::thread thread([&] {
            running.wait();
            if (debug) {
                told.push_back(outcome([&] { return loop.call_soon([] {}); }));
                told.push_back(outcome([&] { return loop.call_later(1s, [] {}); }));
                told.push_back(outcome([&] { return loop.call_at({}, [] {}); }));
                told.push_back(outcome([&] { future.set_result(); }));
                told.push_back(outcome([&] { return future.cancel(); }));
                told.push_back(outcome([&] { return future.add_done_callback([](Future<>) {}); }));
                told.push_back(outcome([&] { return all_tasks(loop); }));
                told.push_back(outcome([&] { return current_task(loop); }));
                run_test([&]() -> Coro<> {  // a loop of this thread's own makes no difference
                    told.push_back(outcome([&] { return loop.call_soon([] {}); }));
                    co_return;
                });
            } else {
                told.push_back(outcome([&] { return loop.call_soon_threadsafe([] {}); }));
            }
            loop.call_soon_threadsafe([&] { loop.stop(); });
        });
        loop.call_soon([&] { running.open(); });
        loop.run_forever();
        thread.join();
        EXPECT_EQ(told.size(), debug ? 9U : 1U);
        for (const std::string& one : told) EXPECT_EQ(one, debug ? sentence : "nothing");
        EXPECT_FALSE(future.done());
        loop.call_soon([] {});  // a loop that does not run belongs to nobody
    }
}

}  // namespace
