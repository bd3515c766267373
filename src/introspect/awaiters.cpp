#include "introspect/awaiters.h"

#include "core/task_loop.h"
#include "core/wait_story.h"

#include <asyncio/core/generator_base.h>
#include <asyncio/tasks/task_group.h>

#include <algorithm>
#include <cstdint>
#include <unordered_set>

namespace asyncio::detail {

Awaiters::Awaiters(LoopCore& loop) {
    for (TaskBase& task : task_loop(loop).live_tasks) {
        if (task.done()) continue;
        for (const FutureBase* future : all_behind(edges_of(task).awaited)) by_future_[future].push_back(&task);
        // The group's parent waits for it from the beginning, also while it does something else, as in Python.
        for (ReadyNode& node : task.callbacks()) {
            TaskBase* parent = GroupMember::parent_told_by(node);
            if (parent != nullptr && !parent->done()) by_future_[&task].push_back(parent);
        }
    }
}

std::vector<TaskBase*> Awaiters::of(const FutureBase& future) const {
    std::vector<TaskBase*> tasks;
    auto place = by_future_.find(&future);
    if (place == by_future_.end()) return tasks;
    std::unordered_set<const TaskBase*> seen;
    for (TaskBase* task : place->second) {
        if (seen.insert(task).second) tasks.push_back(task);
    }
    return tasks;
}

GeneratorFrames::GeneratorFrames(LoopCore& loop) {
    for (GeneratorBase& generator : task_loop(loop).generators) {
        generators_.push_back(reinterpret_cast<std::uintptr_t>(&generator));
    }
    std::sort(generators_.begin(), generators_.end());
}

bool GeneratorFrames::has(std::coroutine_handle<> frame) const noexcept {
    // A frame is tied to its parent by a link, and a generator keeps that in itself.
    auto link = reinterpret_cast<std::uintptr_t>(PromiseBase::of(frame).link());
    auto next = std::upper_bound(generators_.begin(), generators_.end(), link);
    return link != 0 && next != generators_.begin() && link - *(next - 1) < sizeof(GeneratorBase);
}

}  // namespace asyncio::detail
