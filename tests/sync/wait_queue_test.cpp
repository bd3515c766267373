#include "sync/sync_support.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/gather.h>

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

/// The plainest thing that can be waited for: what an author of a new primitive would write.
class Line {
public:
    class Wait final : public detail::QueueWaiter {
    public:
        explicit Wait(Line& line) noexcept : QueueWaiter(WaitKind::queue, &line_), line_(&line) {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> frame) {
            detail::TaskBase& task = *frame.promise().task();
            if (!line_->queue.bind(task)) detail::throw_bound_to_other_loop("the line");
            line_->queue.push_back(*this);
            suspend(task, frame);
        }
        bool await_resume() {
            bool queue_lives = leave();
            check();
            return queue_lives;
        }

    private:
        Line* line_;
    };
    detail::Operation<Line, Wait> wait() noexcept { return detail::Operation<Line, Wait>(*this); }

    detail::WaitQueue queue;
};

Coro<> stand(std::string name, Line& line, Trace& trace) {
    try {
        bool queue_lives = co_await line.wait();
        trace(name, queue_lives);
    } catch (const CancelledError&) {
        trace(name, caught());
    }
}

TEST(WaitQueue, WakesTheFirstWhoWaitStill) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        Line line;
        EXPECT_FALSE(line.queue.wake_next());
        auto tasks = start_each("abcde", stand, line, trace);
        co_await sleep(0s);
        trace(line.queue.size());
        tasks[1].cancel();
        line.queue.wake(2);
        trace(line.queue.wake_next(), line.queue.size());
        co_await sleep(0s);
        trace(line.queue.size(), line.queue.empty());
        line.queue.wake_all();
        co_await sleep(0s);
        trace(line.queue.size(), line.queue.empty());
    });
    EXPECT_EQ(text, "1:5, 1:True 5, 2:b CancelledError(), 2:a True, 2:c True, 2:d True, 2:1 False, 3:e True, 3:0 True");
}

TEST(WaitQueue, KnowsTheLiveFromTheCancelled) {
    run_test([]() -> Coro<> {
        Line line;
        Trace trace;
        EXPECT_FALSE(line.queue.has_live());
        auto tasks = start_each("ab", stand, line, trace);
        co_await sleep(0s);
        EXPECT_TRUE(line.queue.has_live());
        tasks[0].cancel();
        EXPECT_TRUE(line.queue.has_live());
        tasks[1].cancel();
        EXPECT_FALSE(line.queue.has_live());
        EXPECT_FALSE(line.queue.empty());
        co_await sleep(0s);
        EXPECT_TRUE(line.queue.empty());
        tasks = start_each("c", stand, line, trace);
        co_await sleep(0s);
        line.queue.wake_next();
        EXPECT_TRUE(line.queue.has_live());
        co_await sleep(0s);
    });
}

TEST(WaitQueue, MayDieBeforeItsWaiters) {
    std::string text = trace_of([](Trace& trace) -> Coro<> {
        auto line = std::make_unique<Line>();
        auto tasks = start_each("abc", stand, *line, trace);
        co_await sleep(0s);
        line->queue.wake_next();
        tasks[1].cancel();
        line.reset();
        co_await sleep(0s);
        trace(tasks[2].done());
        tasks[2].cancel();
        co_await sleep(0s);
    });
    EXPECT_EQ(text, "2:a False, 2:b CancelledError(), 2:False, 3:c CancelledError()");
}

TEST(WaitQueue, OutlivesTasksThatAreDestroyedWithTheirLoop) {
    Line line;
    Barrier barrier(2);
    {
        EventLoop loop;
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        auto wait_in_line = loop.create_task([&]() -> Coro<> { co_await line.wait(); });
        auto wait_at_barrier = loop.create_task([&]() -> Coro<> { co_await barrier.wait(); });
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
        EXPECT_EQ(line.queue.size(), 1U);
        EXPECT_EQ(barrier.n_waiting(), 1);
    }
    EXPECT_TRUE(line.queue.empty());
    EXPECT_EQ(barrier.n_waiting(), 0);
}

TEST(WaitQueue, BelongsToOneLoop) {
    Line line;
    auto wait = [&]() -> Coro<std::string> {
        auto task = ensure_future(line.wait());
        co_await sleep(0s);
        line.queue.wake_next();
        co_return co_await outcome_of(task);
    };
    EXPECT_EQ(run_test(wait), "nothing");
    EXPECT_EQ(run_test(wait), "RuntimeError('the line is bound to a different event loop')");
}

/// What a task waits for.
WaitEdge edge_of(const AnyTask& task) {
    auto& state = static_cast<detail::TaskBase&>(*task.state_or_null());
    return state.waiting_on() != nullptr ? state.waiting_on()->edge() : WaitEdge{};
}

void expect_edge(const AnyTask& task, WaitKind kind, const void* subject) {
    EXPECT_EQ(edge_of(task).kind, kind);
    EXPECT_EQ(edge_of(task).subject, subject);
}

TEST(WaitEdges, NameThePrimitiveThatATaskWaitsFor) {
    run_test([]() -> Coro<> {
        Lock lock;
        Event event;
        Semaphore semaphore(0);
        Barrier barrier(2);
        Condition condition(lock);
        auto wait = create_task([&]() -> Coro<> {
            auto guard = co_await condition.guard();
            co_await condition.wait();
        });
        co_await sleep(0s);
        expect_edge(wait, WaitKind::condition, &condition);
        co_await lock.acquire();
        condition.notify();
        co_await sleep(0s);
        expect_edge(wait, WaitKind::lock, &lock);
        auto in_lock = ensure_future(lock.acquire());
        auto in_event = ensure_future(event.wait());
        auto in_semaphore = ensure_future(semaphore.acquire());
        auto in_barrier = ensure_future(barrier.wait());
        co_await sleep(0s);
        expect_edge(in_lock, WaitKind::lock, &lock);
        expect_edge(in_event, WaitKind::event, &event);
        expect_edge(in_semaphore, WaitKind::semaphore, &semaphore);
        expect_edge(in_barrier, WaitKind::barrier, &barrier);
        lock.release();
        co_await wait;
        expect_edge(wait, WaitKind::nothing, nullptr);
    });
}

/// The edge of a waiter of which only the bytes are there, at another address.
template <class Waiter>
WaitEdge edge_of_bytes(const AnyTask& task) {
    const detail::Waiter* waiter = static_cast<detail::TaskBase&>(*task.state_or_null()).waiting_on();
    alignas(Waiter) unsigned char bytes[sizeof(Waiter)];
    std::memcpy(bytes, static_cast<const void*>(waiter), sizeof bytes);
    return reinterpret_cast<const detail::Waiter*>(bytes)->edge();
}

TEST(WaitEdges, AreReadFromTheBytesOfTheWaiterAlone) {
    using InLock = detail::AcquireWaiter<Lock, detail::LockWaiter>;
    run_test([]() -> Coro<> {
        Lock lock;
        Future<> future = get_running_loop().create_future();
        Task<> task = create_task([&]() -> Coro<> { co_await future; });
        co_await lock.acquire();
        auto in_lock = ensure_future(lock.acquire());
        auto in_future = create_task([&]() -> Coro<> { co_await future; });
        auto in_task = create_task([&]() -> Coro<> { co_await task; });
        co_await sleep(0s);
        EXPECT_EQ(edge_of_bytes<InLock>(in_lock).kind, WaitKind::lock);
        EXPECT_EQ(edge_of_bytes<InLock>(in_lock).subject, &lock);
        EXPECT_EQ(edge_of_bytes<detail::FutureWaiter>(in_future).kind, WaitKind::future);
        EXPECT_EQ(edge_of_bytes<detail::FutureWaiter>(in_future).subject, future.state_or_null());
        EXPECT_EQ(edge_of_bytes<detail::FutureWaiter>(in_task).kind, WaitKind::task);
        EXPECT_EQ(edge_of_bytes<detail::FutureWaiter>(in_task).subject, task.state_or_null());
        lock.release();
        future.set_result();
        co_await gather(in_lock, in_future, in_task);
    });
}

constexpr int many = 20'000;

double cpu_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What it costs that so many who wait are cancelled at once, and `and_then()` is called in that same pass.
template <class Wait, class AndThen>
double cost_of_cancelling_many(Wait wait, AndThen and_then) {
    double cost = 0;
    run_test([&]() -> Coro<> {
        std::vector<Task<>> tasks;
        for (int i = 0; i < many; ++i) tasks.push_back(create_task(wait()));
        co_await sleep(0s);
        double begin = cpu_seconds();
        for (Task<>& task : tasks) task.cancel();
        co_await and_then();
        co_await sleep(0s);
        co_await sleep(0s);
        cost = cpu_seconds() - begin;
    });
    return cost;
}

TEST(WaitQueue, ManyWhoAreCancelledAtOnceDoNotLookAtEachOther) {
    Event event;
    double plain = cost_of_cancelling_many([&]() -> Coro<> { co_await event.wait(); }, []() -> Coro<> { co_return; });
    Semaphore semaphore(0);
    auto acquire = [&]() -> Coro<> { co_await semaphore.acquire(); };
    auto release = [&]() -> Coro<> {
        semaphore.release();
        co_return;
    };
    EXPECT_LT(cost_of_cancelling_many(acquire, release), plain * 4 + 0.1);
    Lock lock;
    auto lock_for_ever = [&]() -> Coro<> { co_await lock.acquire(); };
    auto take_many_times = [&]() -> Coro<> {
        for (int i = 0; i < many; ++i) {
            lock.release();
            co_await lock.acquire();
        }
        lock.release();
    };
    run_test([&]() -> Coro<> { co_await lock.acquire(); });
    EXPECT_LT(cost_of_cancelling_many(lock_for_ever, take_many_times), plain * 4 + 0.1);
}

}  // namespace
