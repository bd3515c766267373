#pragma once

#include <asyncio/loop/scheduling.h>

#include <cstdint>
#include <vector>

namespace asyncio::detail {

/// The timers of a loop, earliest first; those of the same instant in the order they were added.
/// Adding and removing take time logarithmic in the number of timers.
class TimerHeap {
public:
    bool empty() const noexcept { return entries_.empty(); }
    /// Of one that is in it.
    std::int64_t when(const TimerNode& node) const noexcept { return entries_[node.heap_index_].when; }
    std::size_t size() const noexcept { return entries_.size(); }
    std::int64_t first_when() const noexcept { return entries_.front().when; }

    /// Of one that `is_past` it is remembered. All of the same instant that are, are added after those that are not.
    void add(std::int64_t when, TimerNode& node, bool is_past = false);
    bool was_first_past() const noexcept { return entries_.front().order >= past; }
    void remove(TimerNode& node) noexcept;
    TimerNode& pop_first() noexcept;
    template <class F>
    void for_each(F&& call) const {
        for (const Entry& entry : entries_) call(*entry.node);
    }

private:
    friend struct InspectLayout;
    struct Entry {
        std::int64_t when;
        std::uint64_t order;  // and `past`
        TimerNode* node;
        bool before(const Entry& other) const noexcept {
            return when != other.when ? when < other.when : order < other.order;
        }
    };
    static constexpr std::size_t arity = 4;
    static constexpr int past_bit = 63;
    static constexpr std::uint64_t past = std::uint64_t{1} << past_bit;

    void place(std::size_t index, const Entry& entry) noexcept;
    void move_up(std::size_t index, const Entry& entry) noexcept;
    void move_down(std::size_t index, const Entry& entry) noexcept;

    std::vector<Entry> entries_;
    std::uint64_t next_order_ = 0;
};

}  // namespace asyncio::detail
