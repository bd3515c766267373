#include <asyncio/introspect/metrics.h>

#include "core/task_loop.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace asyncio {

namespace {

template <class List>
std::size_t count(List& list) noexcept {
    std::size_t size = 0;
    for ([[maybe_unused]] auto& one : list) ++size;
    return size;
}

}  // namespace

LoopMetrics loop_metrics() { return loop_metrics(get_running_loop()); }

LoopMetrics loop_metrics(EventLoop& loop) {
    detail::TaskLoop& core = detail::task_loop(loop.core());
    core.check_thread();
    LoopMetrics metrics;
    for (detail::TaskBase& task : core.live_tasks) metrics.tasks_live += task.done() ? 0U : 1U;
    metrics.tasks_begun = core.tasks_begun;
    metrics.tasks_ended = metrics.tasks_begun - metrics.tasks_live;
    metrics.steps = core.steps();
    metrics.passes = core.passes();
    metrics.ready = count(core.ready_nodes());
    metrics.timers = core.count_timers();
    metrics.connections = count(core.resources);
    metrics.calls_on_threads = count(core.outside().calls);
    return metrics;
}

Seconds DurationHistogram::bound(std::size_t index) noexcept {
    if (index + 1 >= size) return Seconds(std::numeric_limits<double>::infinity());
    return Seconds(std::ldexp(1e-6, static_cast<int>(index)));
}

void DurationHistogram::add(Seconds duration) noexcept {
    std::size_t index = 0;
    while (duration > bound(index)) ++index;
    ++counts_[index];
    ++count_;
    sum_ += duration;
    longest_ = std::max(longest_, duration);
}

Seconds DurationHistogram::quantile(double q) const noexcept {
    double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < size; ++index) {
        seen += counts_[index];
        if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(bound(index), longest_);
    }
    return longest_;
}

}  // namespace asyncio
