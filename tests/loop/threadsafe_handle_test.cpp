// What becomes of a callback that several threads have to do with.
#include <asyncio/core/event_loop.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "support/run_test.h"
#include "support/thread_gate.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::Gate;
using support::outcome;

namespace {

/// Counts when it is destroyed, as part of a callable.
class Counted {
public:
    explicit Counted(std::atomic<int>& destroyed) noexcept : destroyed_(&destroyed) {}
    Counted(Counted&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
        if (destroyed_ != nullptr) ++*destroyed_;
    }

private:
    std::atomic<int>* destroyed_;
};

TEST(ThreadSafeHandle, WhatIsCancelledBeforeItsTurnIsDestroyedByWhoCancels) {
    EventLoop loop;
    std::atomic<int> destroyed = 0;
    bool ran = false;
    std::thread thread([&] {
        Handle handle = loop.call_soon_threadsafe([&ran, part = Counted(destroyed)] { ran = true; });
        handle.cancel();
        EXPECT_EQ(destroyed, 1);
        handle.cancel();
    });
    thread.join();
    loop.stop();
    loop.run_forever();
    EXPECT_FALSE(ran);
    EXPECT_EQ(destroyed, 1);
}

TEST(ThreadSafeHandle, CancelFromAnotherThreadReturnsWhenTheCallbackHasEndedAndIsDestroyed) {
    EventLoop loop;
    std::atomic<int> destroyed = 0;
    std::thread thread([&] {
        Gate in_callback;
        Gate about_to_cancel;
        Handle handle = loop.call_soon_threadsafe([&, part = Counted(destroyed)] {
            in_callback.open();
            about_to_cancel.wait();
            std::this_thread::sleep_for(1ms);  // in which one that did not wait would have gone on
        });
        in_callback.wait();
        about_to_cancel.open();
        handle.cancel();
        EXPECT_EQ(destroyed, 1);
        EXPECT_TRUE(handle.cancelled());
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    thread.join();
    EXPECT_EQ(destroyed, 1);
}

TEST(ThreadSafeHandle, ACallbackThatCancelsItselfInItsThreadIsDestroyedAtItsEnd) {
    EventLoop loop;
    std::atomic<int> destroyed = 0;
    Handle handle;
    int destroyed_in_callback = -1;
    handle = loop.call_soon_threadsafe([&, part = Counted(destroyed)] {
        handle.cancel();
        handle.cancel();
        EXPECT_TRUE(handle.cancelled());
        destroyed_in_callback = destroyed;
        loop.stop();
    });
    loop.run_forever();
    EXPECT_EQ(destroyed_in_callback, 0);
    EXPECT_EQ(destroyed, 1);
    EXPECT_TRUE(handle.cancelled());
}

TEST(ThreadSafeHandle, ThreadsThatCancelAndALoopThatRunsDestroyItOnce) {
    constexpr int rounds = 300;
    EventLoop loop;
    std::atomic<int> destroyed = 0;
    std::atomic<int> ran = 0;
    int ran_in_vain = 0;
    std::thread loop_thread([&] { loop.run_forever(); });
    for (int i = 0; i < rounds; ++i) {
        Handle handle = loop.call_soon_threadsafe([&ran, part = Counted(destroyed)] { ++ran; });
        std::thread other([&handle] { handle.cancel(); });
        handle.cancel();
        int ran_before = ran;
        EXPECT_TRUE(handle.cancelled());
        other.join();
        ran_in_vain += ran - ran_before;  // after cancel()
    }
    loop.call_soon_threadsafe([&] { loop.stop(); });
    loop_thread.join();
    EXPECT_EQ(destroyed, rounds);
    EXPECT_LE(ran, rounds);
    EXPECT_EQ(ran_in_vain, 0);
}

TEST(ThreadSafeHandle, OneThatThrewIsLeftToThreadsThatItIsHandedTo) {
    EventLoop loop;
    std::atomic<int> destroyed = 0;
    Handle told;
    std::thread asking;
    Gate done;
    loop.set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
        told = context.handle;
        Gate started;
        asking = std::thread([&, handle = told] {
            started.open();
            EXPECT_FALSE(handle.cancelled());  // waits: the turn ends with the handler
            EXPECT_EQ(destroyed, 1);
            handle.cancel();
            done.open();
        });
        started.wait();
        std::this_thread::sleep_for(1ms);
    });
    std::thread([&] {
        loop.call_soon_threadsafe([part = Counted(destroyed)] { throw RuntimeError("thrown"); });
    }).join();
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    done.wait();
    asking.join();
    EXPECT_TRUE(told.cancelled());
    EXPECT_EQ(destroyed, 1);
}

TEST(ThreadSafeHandle, WhatThreadsPostWhileTheLoopIsClosedIsRunOrDroppedOrRefused) {
    for (int round = 0; round < 20; ++round) {
        EventLoop loop;
        std::atomic<int> made = 0;
        std::atomic<int> destroyed = 0;
        Gate posting;
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                std::string told;
                while (told.empty() || told == "nothing") {
                    ++made;
                    told = outcome([&] { loop.call_soon_threadsafe([part = Counted(destroyed)] {}); });
                    if (made > 50) posting.open();
                }
                EXPECT_EQ(told, "RuntimeError('Event loop is closed')");
            });
        }
        posting.wait();
        loop.stop();
        loop.run_forever();
        loop.close();
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(destroyed, made);
    }
}

TEST(ThreadSafeHandle, TheLoopMayBeGoneWhenThePostThatEndedItReturns) {
    for (int round = 0; round < 100; ++round) {
        auto loop = std::make_unique<EventLoop>();
        EventLoop& posted_to = *loop;
        std::thread thread([&posted_to] { posted_to.call_soon_threadsafe([&posted_to] { posted_to.stop(); }); });
        loop->run_forever();
        loop.reset();
        thread.join();
    }
}

TEST(ThreadSafeHandle, EachThreadsPostsRunInTheirOrder) {
    constexpr int posts = 2000;
    EventLoop loop;
    std::vector<int> last(4, -1);
    bool in_order = true;
    std::atomic<int> left = 4;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < last.size(); ++i) {
        threads.emplace_back([&, i] {
            for (int j = 0; j < posts; ++j) {
                loop.call_soon_threadsafe([&, i, j] {
                    in_order = in_order && last[i] == j - 1;
                    last[i] = j;
                });
            }
            if (--left == 0) loop.call_soon_threadsafe([&] { loop.stop(); });
        });
    }
    loop.run_forever();
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(in_order);
    EXPECT_EQ(last, std::vector<int>(4, posts - 1));
}

TEST(ThreadsafeHandle, IsInLineWithTasksAndFutures) {
    std::string order;
    EventLoop loop;
    auto note = [&order](char name) { return [&order, name] { order += name; }; };
    Future<> future = loop.create_future();
    future.add_done_callback([&order](Future<>) { order += 'd'; });
    loop.call_soon_threadsafe(note('a'));
    auto task = loop.create_task([](std::string& names) -> Coro<> {
        names += 'b';
        co_return;
    }(order));
    loop.call_soon_threadsafe(note('c'));
    future.set_result();
    loop.call_soon_threadsafe(note('e'));
    loop.stop();
    loop.run_forever();
    EXPECT_EQ(order, "abcde");
}

}  // namespace
