// Cancels every waiter of every primitive at every pass of several scenarios, alone and in pairs, before and after the
// others' steps in that pass; and finds nothing lost: no wake-up, no slot, no lock, no party.
#include "sync/sync_support.h"

#include <asyncio/sync/barrier.h>
#include <asyncio/sync/condition.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/wait.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace asyncio;
using namespace support;

/// Task number `task` is cancelled in pass number `pass`.
struct Cancel {
    int task;
    int pass;
};

/// One run of a scenario: its tasks, and what goes on beside them.
class Scenario {
public:
    virtual ~Scenario() = default;
    virtual void start() = 0;
    virtual void in_pass(int) {}            // what is done from outside, as a callback would
    virtual Coro<> finish() { co_return; }  // lets the tasks end that are to end
    virtual std::string lost() = 0;         // empty if nothing was lost

    std::vector<Task<>> tasks;
};

Coro<> drive(Scenario& scenario, int duration, Cancel first, Cancel second) {
    for (int pass = 0; pass < duration; ++pass) {
        for (const Cancel& cancel : {first, second}) {
            if (cancel.pass == pass) scenario.tasks[static_cast<std::size_t>(cancel.task)].cancel();
        }
        scenario.in_pass(pass);
        co_await sleep(0s);
    }
    co_await scenario.finish();
    for (int left = 100; left > 0; --left) co_await sleep(0s);
}

Coro<> run_once(Scenario& scenario, int duration, bool driver_is_first, Cancel first, Cancel second, int& failures) {
    Task<> driver;
    if (driver_is_first) driver = create_task(drive(scenario, duration, first, second));
    scenario.start();
    if (!driver_is_first) driver = create_task(drive(scenario, duration, first, second));
    co_await driver;
    std::string lost = scenario.lost();
    for (std::size_t i = 0; i < scenario.tasks.size(); ++i) {
        if (scenario.tasks[i].done()) continue;
        lost += " task " + std::to_string(i) + " hangs";
        scenario.tasks[i].cancel();
    }
    if (!lost.empty() && ++failures < 5) {
        ADD_FAILURE() << "task " << first.task << " cancelled in pass " << first.pass << ", task " << second.task
                      << " in pass " << second.pass << (driver_is_first ? ", before" : ", after")
                      << " the others: " << lost;
    }
    co_await passes(3);
}

/// All single cancels and all pairs.
template <class S>
void cancel_everywhere(int duration) {
    run_test([&]() -> Coro<> {
        int failures = 0;
        int tasks = S::task_count;
        for (int a = 0; a < tasks * duration + 1; ++a) {
            for (int b = 0; b <= a; ++b) {
                for (bool driver_is_first : {true, false}) {
                    S scenario;
                    Cancel first{a % tasks, a / tasks};
                    Cancel second{b % tasks, b == a ? -1 : b / tasks};
                    co_await run_once(scenario, duration, driver_is_first, first, second, failures);
                }
            }
        }
        EXPECT_EQ(failures, 0);
    });
}

/// Tasks that use something which so many may use at a time.
template <class Primitive>
class Users : public Scenario {
public:
    static constexpr int task_count = 5;
    template <class... Args>
    explicit Users(int capacity, Args... args) : primitive_(args...), capacity_(capacity), before_(tail(primitive_)) {}
    void start() override {
        for (int i = 0; i < task_count; ++i) tasks.push_back(create_task(use(i)));
    }
    std::string lost() override {
        std::string text = too_many_ ? " too many inside" : "";
        if (tail(primitive_) != before_) text += " " + tail(primitive_);
        return text;
    }

private:
    Coro<> use(int i) {
        for (int round = 0; round < 2; ++round) {
            auto guard = co_await primitive_.guard();
            if (++inside_ > capacity_) too_many_ = true;
            Inside scope{inside_};
            if (i % 2 == 0) co_await sleep(0s);
        }
    }
    struct Inside {
        ~Inside() { --count; }
        int& count;
    };

    Primitive primitive_;
    int capacity_;
    int inside_ = 0;
    bool too_many_ = false;
    std::string before_;
};

class LockUsers : public Users<Lock> {
public:
    LockUsers() : Users(1) {}
};
class SemaphoreUsers : public Users<BoundedSemaphore> {
public:
    SemaphoreUsers() : Users(2, 2) {}
};

TEST(SyncCancelEverywhere, LockIsAlwaysHandedOn) { cancel_everywhere<LockUsers>(9); }
TEST(SyncCancelEverywhere, SemaphoreLosesNoSlot) { cancel_everywhere<SemaphoreUsers>(8); }

/// Slots that come from outside, some of them at once.
class GrantedSlots : public Scenario {
public:
    static constexpr int task_count = 5;
    void start() override {
        for (int i = 0; i < task_count; ++i) tasks.push_back(create_task(take(i)));
    }
    void in_pass(int pass) override {
        int slots = pass == 2 ? 1 : pass == 3 ? 3 : 0;
        for (int i = 0; i < slots; ++i) semaphore_.release();
        released_ += slots;
    }
    Coro<> finish() override {
        semaphore_.release();
        ++released_;
        co_return;
    }
    std::string lost() override {
        int left = released_ - taken_;
        std::string expected = left == 0 ? "[locked]" : "[unlocked, value:" + std::to_string(left) + "]";
        return tail(semaphore_) == expected ? "" : " " + tail(semaphore_) + " and not " + expected;
    }

private:
    Coro<> take(int i) {
        if (i >= 3) co_await passes(i - 2);  // newcomers, some while others are woken
        co_await semaphore_.acquire();
        ++taken_;
    }
    Semaphore semaphore_{0};
    int taken_ = 0;
    int released_ = 0;
};

TEST(SyncCancelEverywhere, SemaphoreGivesEverySlotToSomebody) { cancel_everywhere<GrantedSlots>(7); }

/// An event that is set and cleared at once.
class EventWaiters : public Scenario {
public:
    static constexpr int task_count = 4;
    void start() override {
        for (int i = 0; i < task_count; ++i) tasks.push_back(create_task(wait_for_it()));
    }
    void in_pass(int pass) override {
        if (pass != 3) return;
        event_.set();
        event_.clear();
    }
    std::string lost() override { return tail(event_) == "[unset]" ? "" : tail(event_); }

private:
    Coro<> wait_for_it() { co_await event_.wait(); }
    Event event_;
};

TEST(SyncCancelEverywhere, EventWakesAll) { cancel_everywhere<EventWaiters>(6); }

/// Each item comes with one notification; whoever is cancelled must pass it on. The producer keeps the lock for a
/// while.
class Consumers : public Scenario {
public:
    static constexpr int task_count = 4;
    void start() override {
        for (int i = 0; i < task_count; ++i) tasks.push_back(create_task(consume()));
        producer_ = create_task(produce());
    }
    Coro<> finish() override {
        co_await producer_;
        co_await passes(30);
        bool somebody = false;
        for (auto& task : tasks) somebody = somebody || !task.done();
        if (somebody && items_ > 0) lost_ = " an item was left, though somebody waits for it";
        auto guard = co_await condition_.guard();
        closed_ = true;
        condition_.notify_all();
    }
    std::string lost() override { return lost_ + (tail(condition_) == "[unlocked]" ? "" : " " + tail(condition_)); }

private:
    Coro<> consume() {
        auto guard = co_await condition_.guard();
        while (!closed_) {
            try {
                co_await condition_.wait_for([&] { return items_ > 0 || closed_; });
            } catch (const CancelledError&) {
                if (!condition_.locked()) lost_ += " cancelled without the lock";
                throw;
            }
            if (items_ > 0) --items_;
        }
    }
    Coro<> produce() {
        for (int i = 0; i < 3; ++i) {
            co_await passes(2);
            auto guard = co_await condition_.guard();
            ++items_;
            condition_.notify();
            co_await passes(i);
        }
    }
    Condition condition_;
    Task<> producer_;
    int items_ = 0;
    bool closed_ = false;
    std::string lost_;
};

TEST(SyncCancelEverywhere, ConditionLosesNoNotification) { cancel_everywhere<Consumers>(11); }

/// More tasks than parties; what is short of a party in the end is thrown out.
class Parties : public Scenario {
public:
    static constexpr int task_count = 5;
    void start() override {
        for (int i = 0; i < task_count; ++i) tasks.push_back(create_task(pass(i)));
    }
    Coro<> finish() override {
        co_await passes(10);
        int left = 0;
        for (auto& task : tasks) left += task.done() ? 0 : 1;
        if (left >= barrier_.parties()) lost_ += " enough parties are left, and none goes on";
        co_await barrier_.abort();
        co_await passes(5);
        if (tail(barrier_) != "[broken]") lost_ += " not broken: " + tail(barrier_);
        co_await barrier_.reset();
        std::vector<Task<>> fresh;
        for (int i = 0; i < 3; ++i) fresh.push_back(create_task(pass(i)));
        co_await passes(8);
        for (auto& task : fresh) {
            if (!task.done()) lost_ += " the barrier is of no more use";
            task.cancel();
        }
        co_await passes(2);
    }
    std::string lost() override {
        return lost_ + (tail(barrier_) == "[filling, waiters:0/3]" ? "" : " " + tail(barrier_));
    }

protected:
    Coro<> pass(int i) {
        co_await passes(i % 2);
        for (int round = 0; round < 2; ++round) {  // who comes back at once finds it draining
            try {
                co_await barrier_.wait();
            } catch (const BrokenBarrierError&) {
            }
        }
    }
    Barrier barrier_{3};
    std::string lost_;
};
class PartiesOfABarrierThatIsReset : public Parties {
public:
    void start() override {
        Parties::start();
        reset_ = create_task([this]() -> Coro<> {
            co_await passes(3);
            co_await barrier_.reset();
        });
    }

private:
    Task<> reset_;
};

TEST(SyncCancelEverywhere, BarrierCountsRightly) { cancel_everywhere<Parties>(6); }
TEST(SyncCancelEverywhere, BarrierCountsRightlyWhenItIsReset) { cancel_everywhere<PartiesOfABarrierThatIsReset>(6); }

}  // namespace
