#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/loop/seconds.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace asyncio {

/// What a loop has and has done, counted. No name in Python.
struct LoopMetrics {
    std::uint64_t tasks_begun = 0;     ///< since the loop was made
    std::uint64_t tasks_ended = 0;     ///< of those
    std::size_t tasks_live = 0;        ///< the rest of them
    std::uint64_t steps = 0;           ///< steps of tasks, callbacks, and what else the loop has run
    std::uint64_t passes = 0;          ///< turns of the loop; since its last jump, where time is virtual
    std::size_t ready = 0;             ///< to run in this pass or the next
    std::size_t timers = 0;            ///< that wait for their time, sleeping tasks among them
    std::size_t connections = 0;       ///< open transports, servers and children
    std::size_t calls_on_threads = 0;  ///< of `to_thread()` and `run_in_executor()`, that run or wait for a thread
};

/// Counts of the running loop, or of `loop`, which must not run in another thread. They are always kept, and cost a
/// handful of instructions; to read them takes time for each live task. Throws RuntimeError when no loop runs.
LoopMetrics loop_metrics();
LoopMetrics loop_metrics(EventLoop& loop);

/// How often something took how long: in buckets whose bounds double, from a microsecond to some two minutes.
class DurationHistogram {
public:
    static constexpr std::size_t size = 29;  ///< of buckets; the last one has no bound

    /// Counts one.
    void add(Seconds duration) noexcept;
    std::uint64_t count() const noexcept { return count_; }
    /// Of all of them.
    Seconds sum() const noexcept { return sum_; }
    /// Exactly.
    Seconds longest() const noexcept { return longest_; }
    /// Those in bucket `index`, which are no longer than its bound and longer than that of the one before.
    std::uint64_t count(std::size_t index) const noexcept { return counts_[index]; }
    /// Infinite for the last.
    static Seconds bound(std::size_t index) noexcept;
    /// A time that the share `q` of all, from 0 to 1, did not exceed: the bound of a bucket, or the longest of all.
    Seconds quantile(double q) const noexcept;

private:
    std::array<std::uint64_t, size> counts_ = {};
    std::uint64_t count_ = 0;
    Seconds sum_ = Seconds(0);
    Seconds longest_ = Seconds(0);
};

/// What a LoopMonitor has seen.
struct StepMetrics {
    DurationHistogram steps;   ///< how long a step held the loop
    DurationHistogram delays;  ///< the loop's lag: from when something became ready, or was due, to its turn
    std::string longest_step;  ///< whose the longest step was: the task's name and coroutine, or "callback"
};

/// Measures each step of a loop as long as it lives: what `loop_metrics()` does not, since that costs two looks at the
/// clock a step. Made, read and destroyed in the loop's thread; several may look on at once. When the loop is closed
/// first it keeps what it has seen.
class LoopMonitor {
public:
    /// Of the running loop; RuntimeError when none runs.
    LoopMonitor();
    explicit LoopMonitor(EventLoop& loop);
    ~LoopMonitor();
    LoopMonitor(const LoopMonitor&) = delete;
    LoopMonitor& operator=(const LoopMonitor&) = delete;

    /// What it has measured since it was made, or reset: goes on changing.
    const StepMetrics& metrics() const noexcept;
    /// Begins to count anew.
    void reset() noexcept;

private:
    class State;
    std::unique_ptr<State> state_;
};

/// Both as Prometheus' text, each line with the label `loop="name"`; quotes in the name are escaped. Durations are in
/// seconds: `asyncio_step_seconds_bucket{loop="main",le="0.001024"} 17`.
std::string prometheus_text(const LoopMetrics& metrics, std::string_view loop_name = "main");
std::string prometheus_text(const StepMetrics& metrics, std::string_view loop_name = "main");

}  // namespace asyncio
