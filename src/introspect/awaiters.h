#pragma once

#include <asyncio/core/task_base.h>

#include <unordered_map>
#include <vector>

namespace asyncio::detail {

/// Which tasks of a loop wait for a future: all edges, turned round. In the loop's thread.
class Awaiters {
public:
    explicit Awaiters(LoopCore& loop);
    /// In the order in which the tasks were made, each once.
    std::vector<TaskBase*> of(const FutureBase& future) const;

private:
    std::unordered_map<const FutureBase*, std::vector<TaskBase*>> by_future_;
};

/// The frames of asynchronous generators among those of a loop's tasks.
class GeneratorFrames {
public:
    explicit GeneratorFrames(LoopCore& loop);
    bool has(std::coroutine_handle<> frame) const noexcept;

private:
    std::vector<std::uintptr_t> generators_;  // their addresses, sorted
};

}  // namespace asyncio::detail
