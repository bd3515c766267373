#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/seconds.h>

#include <cstdint>

namespace asyncio::detail {

struct InspectLayout;
class LoopCore;
class TimerHeap;

namespace bases {

/// Something that the loop can run: the one kind of entry of its ready queue. It is part of a larger object, and
/// whoever dies or changes its mind before its turn simply leaves the queue.
class ReadyNode : public ListHook<> {
public:
    using Run = void (*)(ReadyNode&);
    explicit ReadyNode(Run function = nullptr) noexcept : run_(function) {}
    /// For the library: its turn has come.
    void run() { run_(*this); }
    void set_run(Run function) noexcept { run_ = function; }
    Run run_function() const noexcept { return run_; }

private:
    friend struct detail::InspectLayout;
    Run run_;
};

/// A ReadyNode that can also wait for a moment: the timer heap keeps its place in it.
class TimerNode : public ReadyNode {
public:
    using ReadyNode::ReadyNode;
    bool is_scheduled() const noexcept { return heap_index_ != not_scheduled; }

private:
    friend class detail::TimerHeap;
    friend struct detail::InspectLayout;
    static constexpr std::uint32_t not_scheduled = UINT32_MAX;
    std::uint32_t heap_index_ = not_scheduled;
};

}  // namespace bases
using bases::ReadyNode;
using bases::TimerNode;
using ReadyList = IntrusiveList<ReadyNode>;

/// The loop that runs in this thread; throws RuntimeError when none does.
LoopCore& running_core();
/// The same, or null.
LoopCore* running_core_or_null() noexcept;

/// The node runs in the loop's next pass, after all that are queued already.
void schedule(LoopCore& loop, ReadyNode& node) noexcept;
/// The node joins the ready queue when the loop's clock has reached `when`.
void schedule_at(LoopCore& loop, TimePoint when, TimerNode& node);
void unschedule(LoopCore& loop, TimerNode& node) noexcept;
TimePoint time_of(LoopCore& loop) noexcept;
/// What the loop's clock said when it was last read, by the loop or by anybody: a moment ago, and costs nothing.
TimePoint last_time_of(LoopCore& loop) noexcept;
/// Throws RuntimeError if the loop is closed and, in debug mode, if this is not its thread.
void check_open(LoopCore& loop);

/// Counts work outside the loop (a thread's job, a foreign operation) that will call back: as long as there is
/// any, a virtual clock does not jump. Only on the loop's thread.
void outside_work_begins(LoopCore& loop) noexcept;
void outside_work_ends(LoopCore& loop) noexcept;

}  // namespace asyncio::detail
