#include "deadlock_watch.h"

#include "core/task_loop.h"
#include "core/wait_story.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace conformance {

using asyncio::detail::FutureBase;
using asyncio::detail::TaskBase;

namespace {

long named_in_all = 0;

/// How many that are not done it stands for.
std::size_t count_others(const FutureBase& future) {
    const auto* futures = dynamic_cast<const asyncio::detail::AwaitsFutures*>(&future);
    asyncio::detail::WaitStory story;
    if (futures != nullptr) story.awaits(*futures);
    return story.awaited.size();
}

}  // namespace

long DeadlockWatch::named() noexcept { return named_in_all; }

DeadlockWatch::DeadlockWatch(asyncio::EventLoop& loop) : loop_(&loop.core()) {
    loop_->service<asyncio::detail::Observers>().add(*this);
}

DeadlockWatch::~DeadlockWatch() {
    if (loop_ != nullptr) loop_->service<asyncio::detail::Observers>().remove(*this);
}

void DeadlockWatch::loop_is_closing() noexcept { loop_ = nullptr; }

void DeadlockWatch::before_step(asyncio::detail::ReadyNode& node) noexcept {
    const TaskBase* task = asyncio::detail::task_of_step(node);
    const TaskBase* expired = asyncio::detail::TaskDeadline::task_of(node);
    if (task == nullptr && expired == nullptr) return;
    forget_the_ended();
    for (const Named& deadlock : named_) {
        bool is_in = std::any_of(deadlock.tasks.begin(), deadlock.tasks.end(), [&](const Waiting& waiting) {
            return waiting.task == task || (waiting.has_deadline && waiting.task == expired);
        });
        if (!is_in) continue;
        std::fprintf(stderr, "no deadlock: %s\nbut '%s' goes on\n", deadlock.text.c_str(),
                     (task != nullptr ? task : expired)->name().c_str());
        std::abort();
    }
}

void DeadlockWatch::after_step() noexcept {
    forget_the_ended();
    find();
}

/// Who is cancelled goes on, and so does who waits for a lock that another one has released, or for a future that is
/// cancelled or ended by hand, before those for which it stands.
bool DeadlockWatch::was_ended(const Named& deadlock) const {
    std::vector<const FutureBase*> live;
    for (const TaskBase& task : asyncio::detail::task_loop(*loop_).live_tasks) live.push_back(&task);
    auto lives = [&](const FutureBase* task) { return std::find(live.begin(), live.end(), task) != live.end(); };
    return std::any_of(deadlock.tasks.begin(), deadlock.tasks.end(), [&](const Waiting& waiting) {
        if (!lives(waiting.task) || waiting.task->done() || waiting.task->cancelling() != waiting.cancels) return true;
        if (edges_of(*waiting.task).holder != waiting.holder) return true;
        // What a task waits for it keeps alive.
        return std::any_of(waiting.futures.begin(), waiting.futures.end(), [](const Awaited& one) {
            return one.future->cancelled() ||
                   (one.future->done() && one.others > 0 && count_others(*one.future) == one.others);
        });
    });
}

void DeadlockWatch::forget_the_ended() {
    std::erase_if(named_, [this](const Named& deadlock) { return was_ended(deadlock); });
}

bool DeadlockWatch::has_deadline(const TaskBase* task) {
    bool has = false;
    loop_->for_each_timer(
        [&](asyncio::detail::ReadyNode& node) { has = has || asyncio::detail::TaskDeadline::task_of(node) == task; });
    return has;
}

void DeadlockWatch::find() {
    for (const asyncio::Deadlock& deadlock : find_deadlocks(asyncio::detail::task_loop(*loop_).facade())) {
        Named named{{}, deadlock.text};
        for (const asyncio::AnyTask& handle : deadlock.tasks) {
            auto* task = static_cast<const TaskBase*>(handle.state_or_null());
            asyncio::detail::WaitStory story = edges_of(*task);
            Waiting waiting{task, task->cancelling(), {}, story.holder, has_deadline(task)};
            for (const FutureBase* future : story.awaited) waiting.futures.push_back({future, count_others(*future)});
            named.tasks.push_back(std::move(waiting));
        }
        bool is_known = std::any_of(named_.begin(), named_.end(), [&](const Named& other) {
            return other.tasks.size() == named.tasks.size() && other.tasks[0].task == named.tasks[0].task;
        });
        if (is_known) continue;
        named_.push_back(std::move(named));
        ++named_in_all;
    }
}

}  // namespace conformance
