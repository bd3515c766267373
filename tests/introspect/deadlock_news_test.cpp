// A wait that ends, since one of those whom it awaits is done, is in no deadlock in the passes until its turn.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "introspect/deadlock_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>
using support::deadlock_of;

namespace {

/// Looks in each pass, before and behind what runs in it.
class Looks {
public:
    explicit Looks(EventLoop& loop) : loop_(loop) { again(); }
    ~Looks() { next_.cancel(); }
    Looks(const Looks&) = delete;
    Looks& operator=(const Looks&) = delete;

private:
    void look() const {
        for (const Deadlock& deadlock : find_deadlocks(loop_)) ADD_FAILURE() << deadlock.text;
    }
    void again() {
        next_ = loop_.call_soon([this] {
            look();
            again();
        });
    }
    EventLoop& loop_;
    Handle next_;
};

Coro<> await_that(AnyTask task) { co_await task; }
Coro<> end_in(int passes) {
    for (int i = 0; i < passes; ++i) co_await sleep(0);
}
Coro<> fail_in(int passes) {
    co_await end_in(passes);
    throw ValueError("quick");
}

/// The task that runs awaits one that awaits it, or what ends soon.
template <class Body>
void run_with_looks(Body body) {
    run([](Body of) -> Coro<> {
        for (int passes = 0; passes < 3; ++passes) {
            Looks looks(get_running_loop());
            Task<> main = create_task([&]() -> Coro<> {
                Task<> circle = create_task(await_that(current_task()));
                co_await of(circle, passes);
            });
            co_await wait(main);
            EXPECT_FALSE(main.exception());
        }
    }(body));
}

TEST(DeadlockNews, OfAsCompleted) {
    run_with_looks([](Task<> circle, int passes) -> Coro<> {
        std::vector<Task<>> tasks = {circle, create_task(end_in(passes))};
        for (auto next : as_completed(tasks)) {
            co_await next;
            break;
        }
    });
}

TEST(DeadlockNews, OfWait) {
    run_with_looks([](Task<> circle, int passes) -> Coro<> {
        WaitOptions first = {.return_when = FIRST_COMPLETED};
        co_await wait(circle, create_task(end_in(passes)), first);
    });
}

TEST(DeadlockNews, OfGather) {
    run_with_looks([](Task<> circle, int passes) -> Coro<> {
        try {
            co_await gather(circle, fail_in(passes));
        } catch (const ValueError&) {
        }
    });
}

TEST(DeadlockNews, MayBeActedUponByTheLogHandler) {
    for (std::string how : {"cancel", "soon", "later", "from a thread's side", "stop"}) {
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(20);
            static std::string answer;
            static Task<> stuck;
            answer = how;
            set_log_handler([](LogLevel, std::string_view text) {
                if (!text.starts_with("Deadlock: ")) return;
                EventLoop& loop = get_running_loop();
                auto cancel = [] { stuck.cancel(); };
                if (answer == "cancel") cancel();
                if (answer == "soon") loop.call_soon(cancel);
                if (answer == "later") loop.call_later(1ms, cancel);
                if (answer == "from a thread's side") loop.call_soon_threadsafe(cancel);
                if (answer == "stop") loop.stop();
            });
            auto main = []() -> Coro<> {
                Lock lock;
                stuck = create_task([&]() -> Coro<> {
                    co_await lock.acquire();
                    co_await lock.acquire();
                });
                co_await wait(stuck);
            };
            try {
                run(main());
            } catch (const RuntimeError&) {  // the loop was stopped
                ::_exit(how == "stop" ? 7 : 1);
            }
            ::_exit(how == "stop" ? 1 : 7);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << how << ": " << status;
    }
}

TEST(DeadlockNews, OfTasksThatHaveFailedAndThatNobodyHasAsked) {
    auto fails = [](std::string why) -> Coro<> {
        co_await sleep(1ms);
        throw ValueError(why);
    };
    auto main = [&]() -> Coro<> {
        current_task().set_name("main");
        Task<> producer = create_task(fails("no more"), {.name = "producer"});
        Task<> asked = create_task(fails("known"), {.name = "asked"});
        co_await wait(asked);
        static_cast<void>(asked.exception());
        Event never;
        co_await never.wait();
    };
    EXPECT_EQ(deadlock_of(main()),
              "Deadlock: nothing can run any more, and 1 task waits\n"
              "  'main' waits for <Event unset, waiters:1> at HERE\n"
              "  the task 'producer' has failed with ValueError('no more'), and nobody has asked for it");
    auto many = [&]() -> Coro<> {
        current_task().set_name("main");
        std::vector<Task<>> tasks;
        for (int i = 0; i < 12; ++i) tasks.push_back(create_task(fails("no")));
        Event never;
        co_await never.wait();
    };
    std::string text = deadlock_of(many());
    EXPECT_TRUE(text.ends_with(", and nobody has asked for it\n  and 2 more tasks failed so")) << text;
}

}  // namespace
