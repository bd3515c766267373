// What a loop lets go of when it is closed, and in which order what is left dies with it.
#include "support/run_test.h"
#include "support/thread_gate.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

void run_briefly(EventLoop& loop) {
    loop.stop();
    loop.run_forever();
}

// A timer that is in what it calls, for one: only the loop can end that.
TEST(LoopEnd, AClosedLoopLetsGoOfTheCallablesWhoseHandlesAreKept) {
    auto kept = std::make_shared<int>(1);
    auto callable = [kept] {};
    std::array<int, 2> pipe = {};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    {
        EventLoop loop;
        std::vector<Handle> handles;
        handles.push_back(loop.call_soon(callable));
        handles.push_back(loop.call_later(1h, callable));
        handles.push_back(loop.call_at(loop.time() + 3600, callable));
        handles.push_back(loop.call_soon_threadsafe(callable));
        loop.add_reader(pipe[0], callable);
        loop.add_writer(pipe[1], callable);
        loop.add_signal_handler(SIGUSR1, callable);
        EXPECT_EQ(kept.use_count(), 9);
        loop.close();
        EXPECT_EQ(kept.use_count(), 2);
        for (Handle& handle : handles) EXPECT_FALSE(handle.cancelled());
        for (Handle& handle : handles) handle.cancel();
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
}

TEST(LoopEnd, ATimerThatHoldsItsOwnHandleGoesWithTheLoop) {
    struct Poller : std::enable_shared_from_this<Poller> {
        void tick() {
            timer = get_running_loop().call_later(1s, [self = shared_from_this()] { self->tick(); });
        }
        TimerHandle timer;
    };
    std::weak_ptr<Poller> seen;
    support::run_test([&]() -> Coro<> {
        auto poller = std::make_shared<Poller>();
        seen = poller;
        poller->tick();
        co_await sleep(10s);
    });
    EXPECT_TRUE(seen.expired());
}

TEST(LoopEndThread, ACancelOnAnotherThreadMayMeetTheClose) {
    for (int i = 0; i < 50; ++i) {
        auto kept = std::make_shared<int>(1);
        EventLoop loop;
        std::vector<Handle> handles;
        for (int j = 0; j < 10; ++j) handles.push_back(loop.call_soon_threadsafe([kept] {}));
        support::Gate begun;
        std::thread thread([&, handles] {
            begun.open();
            for (Handle handle : handles) handle.cancel();
        });
        begun.wait();
        loop.close();
        thread.join();
        EXPECT_EQ(kept.use_count(), 1);
    }
}

/// Uses what it was given when it dies.
struct Uses {
    explicit Uses(std::string& used) : text(used) {}
    ~Uses() { text += "used "; }
    std::string& text;
};
Coro<> child(std::string& text) {
    Uses uses(text);
    co_await sleep(1h);
}
Coro<> parent(std::string& order) {
    std::string text = "a text that is too long to be kept without the heap ";
    auto task = create_task(child(text));
    struct End {
        ~End() { order += text; }
        std::string& order;
        std::string& text;
    } end{order, text};
    co_await task;
}

// What a task was given when it was made lies in the frames of older ones.
TEST(LoopEnd, PendingTasksDieWithTheirLoopTheNewestFirst) {
    std::string order;
    support::Reports reports;
    {
        EventLoop loop;
        reports.listen(loop);
        loop.create_task(parent(order));
        run_briefly(loop);
        run_briefly(loop);
        EXPECT_EQ(all_tasks(loop).size(), 2U);
    }
    EXPECT_EQ(order, "a text that is too long to be kept without the heap used ");
    EXPECT_EQ(reports.str(),
              "Task was destroyed but it is pending!: None\nTask was destroyed but it is pending!: None");
}

TEST(LoopEnd, DoneCallbacksOfTasksThatDieWithTheirLoopGoWithThem) {
    auto kept = std::make_shared<int>(1);
    Task<> task;
    {
        EventLoop loop;
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
        task = loop.create_task(sleep(1h));
        task.add_done_callback([kept, task](Task<>) {});
        run_briefly(loop);
    }
    EXPECT_EQ(kept.use_count(), 1);
    EXPECT_FALSE(task.done());
}

}  // namespace
