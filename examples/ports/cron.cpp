// A scheduler of jobs: what is due runs in a task of its own, plain functions on a thread, never twice at once, and
// what fails is told and tried again at the next time. It sleeps until the next is due, or until it is told of another
// job.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <functional>
#include <queue>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

ContextVar<std::string> current_job{"current_job", "nobody"};

void note(const std::string& text) { std::printf("%s: %s\n", current_job.get().c_str(), text.c_str()); }

struct Job {
    TimePoint when;
    int number;
    std::string name;
    std::function<Coro<>()> function;
    Seconds interval;
    int times;
    Task<> task = {};
};
struct Later {
    bool operator()(const Job& a, const Job& b) const {
        return std::pair(a.when, a.number) > std::pair(b.when, b.number);
    }
};

class Scheduler {
public:
    template <class Function>
    void every(Seconds interval, int times, std::string name, Function function) {
        TimePoint when = get_running_loop().time() + interval;
        heap_.push({when, numbers_++, name, as_coroutine(function), interval, times});
        changed_.set();
    }

    Coro<> run() {
        while (!heap_.empty()) {
            Job job = heap_.top();
            changed_.clear();
            try {
                co_await with(timeout_at(job.when), [&](Timeout&) { return changed_.wait(); });
            } catch (const TimeoutError&) {
            }
            if (get_running_loop().time() < job.when || job.number != heap_.top().number) continue;
            heap_.pop();
            start(job);
            if (--job.times == 0) continue;
            job.when += job.interval;
            heap_.push(job);
        }
    }

    Coro<> stop(Seconds grace) {
        if (running_.empty()) co_return;
        auto left = co_await wait(running_, {.timeout = grace});
        for (const Task<>& task : left.pending) {
            std::printf("stopping %s\n", task.get_name().c_str());
            task.cancel();
        }
        co_await gather(return_exceptions, left.pending);
    }

private:
    template <class Function>
    static std::function<Coro<>()> as_coroutine(Function function) {
        if constexpr (Awaitable<decltype(function())>) {
            return function;
        } else {
            return [function]() -> Coro<> { co_await to_thread(function); };
        }
    }
    static Coro<> run_one(Job job) {
        current_job.set(job.name);
        try {
            co_await job.function();
        } catch (const std::exception& error) {
            note("failed: " + repr(error));
        }
    }
    void start(Job& job) {
        if (job.task && !job.task.done()) {
            std::printf("%s is still at it\n", job.name.c_str());
            return;
        }
        job.task = create_task(run_one(job), {.name = job.name});
        running_.insert(job.task);
        job.task.add_done_callback([this](const Task<>& task) { running_.erase(task); });
    }

    std::priority_queue<Job, std::vector<Job>, Later> heap_;
    int numbers_ = 0;
    Event changed_;
    std::unordered_set<Task<>> running_;
};

Coro<> amain() {
    Scheduler scheduler;
    Event release;
    int ticks = 0;

    scheduler.every(0.005s, 1, "report", [] { note("on a thread"); });
    scheduler.every(0.04s, 4, "tick", [&]() -> Coro<> {
        note(std::to_string(++ticks));
        if (ticks == 4) release.set();
        co_return;
    });
    scheduler.every(0.06s, 2, "backup", [&]() -> Coro<> {
        note("begins");
        co_await release.wait();
        note("ends");
    });
    scheduler.every(0.1s, 1, "later", [&]() -> Coro<> {
        scheduler.every(0.1s, 1, "clean", []() -> Coro<> {
            throw ValueError("no broom");
            co_return;
        });
        note("adds a job");
        co_return;
    });
    scheduler.every(0.14s, 1, "archive", []() -> Coro<> {
        try {
            co_await sleep(60s);
        } catch (const CancelledError&) {
            note("cancelled");
            throw;
        }
    });

    co_await scheduler.run();
    co_await scheduler.stop(0.02s);
    note("done");
}

int main() { return run_main(amain()); }
