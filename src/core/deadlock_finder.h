#pragma once

#include "core/task_loop.h"
#include "core/wait_story.h"

#include <asyncio/core/deadlock.h>

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace asyncio::detail {

/// Which tasks of a loop wait for each other. Looks once, when it is made; in the loop's thread.
class DeadlockFinder {
public:
    explicit DeadlockFinder(LoopCore& loop);

    std::size_t count_waiting() const noexcept { return waits_.size(); }
    /// Whether one waits for what may come from outside of the loop.
    bool waits_for_outside() const noexcept { return waits_for_outside_; }
    /// Each circle, then each task that waits for what has died.
    std::vector<Deadlock> find() const;
    /// A line for each of those, and for each other task that waits, as none of them can go on.
    std::string report() const;

private:
    struct Wait {
        TaskBase* task;
        WaitStory story;
        std::vector<std::size_t> needs;  // those without whom it cannot go on
        bool needs_others = false;       // it may go on by somebody who does not wait
        bool has_deadline = false;       // it will be cancelled
        bool is_stuck = false;
    };

    void add_needs(Wait& wait) const;
    void note_deadlines(LoopCore& loop);
    bool is_stuck(const Wait& wait) const noexcept;
    static bool is_for_task(const Wait& wait) noexcept;
    std::string text_of(const Wait& wait) const;
    std::string text_of_need(const Wait& wait, const Wait& need) const;

    std::vector<Wait> waits_;
    std::unordered_map<const FutureBase*, std::size_t> places_;
    bool waits_for_outside_ = false;
};

}  // namespace asyncio::detail
