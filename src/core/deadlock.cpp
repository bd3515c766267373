#include <asyncio/core/deadlock.h>

#include "core/deadlock_finder.h"
#include "core/past_place.h"

#include <asyncio/core/task_deadline.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/repr.h>

#include <algorithm>
#include <new>
#include <unordered_set>
#include <utility>

namespace asyncio {
namespace detail {

DeadlockFinder::DeadlockFinder(LoopCore& loop) {
    for (TaskBase& task : task_loop(loop).live_tasks) {
        const Waiter* waiter = task.done() ? nullptr : task.waiting_on();
        if (waiter == nullptr || !waiter->is_pending()) continue;
        WaitKind kind = waiter->edge().kind;
        if (kind == WaitKind::file_descriptor || kind == WaitKind::process) waits_for_outside_ = true;
        places_.emplace(&task, waits_.size());
        Wait& wait = waits_.emplace_back();
        wait.task = &task;
        wait.story = edges_of(task);
    }
    for (Wait& wait : waits_) add_needs(wait);
    note_deadlines(loop);
    // All that may be stuck is taken to be so, until it is seen who could let it go on.
    for (Wait& wait : waits_) wait.is_stuck = wait.story.is_lost || (!wait.needs.empty() && !wait.story.has_limit);
    for (bool changed = true; changed;) {
        changed = false;
        for (Wait& wait : waits_) {
            if (!wait.is_stuck || is_stuck(wait)) continue;
            wait.is_stuck = false;
            changed = true;
        }
    }
}

void DeadlockFinder::add_needs(Wait& wait) const {
    auto add = [&](const FutureBase* future) {
        auto place = places_.find(future);
        if (place == places_.end()) {
            wait.needs_others = true;
        } else {
            wait.needs.push_back(place->second);
        }
    };
    wait.needs_others = wait.story.has_news;
    if (wait.story.holder != nullptr) add(wait.story.holder);
    for (const FutureBase* future : all_behind(wait.story.awaited, &wait.needs_others)) {
        if (dynamic_cast<const AwaitsFutures*>(future) == nullptr) add(future);
    }
}

/// Whom a Timeout will cancel goes on, and so do those whom it waits for, which are cancelled with it.
void DeadlockFinder::note_deadlines(LoopCore& loop) {
    std::vector<std::size_t> found;
    auto add = [&](const FutureBase* future) {
        auto place = places_.find(future);
        if (place == places_.end() || std::exchange(waits_[place->second].has_deadline, true)) return;
        waits_[place->second].story.has_limit = true;
        waits_[place->second].story.is_lost = false;
        found.push_back(place->second);
    };
    auto look = [&](ReadyNode& node) {
        if (const TaskBase* task = TaskDeadline::task_of(node)) add(task);
    };
    loop.for_each_timer(look);
    for (ReadyNode& node : loop.ready_nodes()) look(node);
    while (!found.empty()) {
        std::size_t index = found.back();
        found.pop_back();
        for (const FutureBase* future : all_behind(waits_[index].story.awaited)) add(future);
    }
}

/// One that is not is enough: it may end the wait by failing, where it does not by its end.
bool DeadlockFinder::is_stuck(const Wait& wait) const noexcept {
    if (wait.story.is_lost) return true;
    auto need_is_stuck = [&](std::size_t need) { return waits_[need].is_stuck; };
    return !wait.needs_others && std::all_of(wait.needs.begin(), wait.needs.end(), need_is_stuck);
}

namespace {

std::string text_of_place(const std::source_location& place) {
    return std::string(place.file_name()) + ":" + std::to_string(place.line());
}

}  // namespace

bool DeadlockFinder::is_for_task(const Wait& wait) noexcept {
    return wait.story.awaited.size() == 1 && wait.task->waiting_on()->edge().kind == WaitKind::task;
}

std::string DeadlockFinder::text_of(const Wait& wait) const {
    const TaskBase& task = *wait.task;
    std::source_location where = PromiseBase::of(task.innermost()).await_at();
    std::string what = is_for_task(wait)
                           ? "the task " + detail::quoted(static_cast<const TaskBase*>(wait.story.awaited[0])->name())
                           : story_of(task).text;
    return detail::quoted(task.name()) + " waits for " + what + " at " +
           text_of_place(place_of_await(task, task.innermost(), where));
}

std::string DeadlockFinder::text_of_need(const Wait& wait, const Wait& need) const {
    if (need.task == wait.story.holder) {
        PastSource since(wait.story.held_since);
        return ", taken at " + since.file + ":" + std::to_string(since.line);
    }
    return is_for_task(wait) ? "" : ", and so for " + detail::quoted(need.task->name());
}

std::vector<Deadlock> DeadlockFinder::find() const {
    std::vector<Deadlock> found;
    // From each stuck task to the first one without whom it cannot go on: every way ends in a circle, or with what has
    // died.
    std::vector<std::size_t> visited_from(waits_.size(), waits_.size());
    for (std::size_t start = 0; start < waits_.size(); ++start) {
        std::size_t at = start;
        while (waits_[at].is_stuck && visited_from[at] == waits_.size()) {
            visited_from[at] = start;
            if (waits_[at].story.is_lost) break;
            at = waits_[at].needs.front();
        }
        bool is_circle = waits_[at].is_stuck && visited_from[at] == start && !waits_[at].story.is_lost;
        if (!is_circle) continue;
        Deadlock circle;
        std::size_t first = at;
        do {
            const Wait& wait = waits_[at];
            const Wait& next = waits_[wait.needs.front()];
            circle.tasks.push_back(AnyTask(Ref<FutureBase>(wait.task)));
            circle.text += (circle.text.empty() ? "" : "; ") + text_of(wait) + text_of_need(wait, next);
            at = wait.needs.front();
        } while (at != first);
        found.push_back(std::move(circle));
    }
    for (const Wait& wait : waits_) {
        if (!wait.story.is_lost) continue;
        found.push_back({{AnyTask(Ref<FutureBase>(wait.task))}, text_of(wait)});
    }
    return found;
}

std::string DeadlockFinder::report() const {
    std::string text;
    std::unordered_set<const FutureBase*> named;
    for (const Deadlock& deadlock : find()) {
        text += "\n  " + deadlock.text;
        for (const AnyTask& task : deadlock.tasks) named.insert(task.state_or_null());
    }
    constexpr std::size_t most = 100;
    std::size_t left = 0;
    for (const Wait& wait : waits_) {
        if (named.count(wait.task) != 0) continue;
        if (++left <= most) text += "\n  " + text_of(wait);
    }
    if (left > most) text += "\n  and " + counted(left - most, "more task");
    return text;
}

/// What others wait for may be what these would have done.
std::string TaskLoop::text_of_failed() {
    constexpr std::size_t most = 10;
    std::size_t count = 0;
    std::string text;
    for (ReadyNode& node : failed_tasks_) {
        const auto& task = static_cast<const TaskBase&>(node);
        if (!task.is_unretrieved() || ++count > most) continue;
        text += "\n  the task " + detail::quoted(task.name()) + " has failed with " +
                asyncio::repr(task.peek_exception()) + ", and nobody has asked for it";
    }
    if (count > most) text += "\n  and " + counted(count - most, "more task") + " failed so";
    return text;
}

void TaskLoop::nothing_can_come(bool is_proven) {
    if (live_tasks.empty()) return;
    std::string text;
    try {
        DeadlockFinder finder(*this);
        if (finder.count_waiting() == 0 || finder.waits_for_outside()) return;
        if (!is_proven && finder.find().empty()) return;
        text = (is_proven ? "Deadlock: nothing can run any more, and " : "Deadlock: tasks wait for each other; ") +
               counted(finder.count_waiting(), "task") + (finder.count_waiting() == 1 ? " waits" : " wait") +
               finder.report() + text_of_failed();
    } catch (const std::bad_alloc&) {  // it is said later, or never
        return;
    }
    if (on_deadlock() == OnDeadlock::raise) throw DeadlockError(text);
    if (std::exchange(told_of_, text) != text) log(LogLevel::error, text);
}

}  // namespace detail

std::vector<Deadlock> find_deadlocks(EventLoop& loop) {
    loop.core().check_thread();
    return detail::DeadlockFinder(loop.core()).find();
}
std::vector<Deadlock> find_deadlocks() { return detail::DeadlockFinder(detail::running_core()).find(); }

}  // namespace asyncio
