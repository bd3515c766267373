#include "loop/timer_heap.h"

#include <algorithm>

namespace asyncio::detail {

void TimerHeap::add(std::int64_t when, TimerNode& node, bool is_past) {
    entries_.push_back({});
    move_up(entries_.size() - 1, Entry{when, next_order_++ | std::uint64_t{is_past} << past_bit, &node});
}

void TimerHeap::remove(TimerNode& node) noexcept {
    if (!node.is_scheduled()) return;
    std::size_t index = node.heap_index_;
    node.heap_index_ = TimerNode::not_scheduled;
    Entry last = entries_.back();
    entries_.pop_back();
    if (index == entries_.size()) return;
    if (index > 0 && last.before(entries_[(index - 1) / arity])) {
        move_up(index, last);
    } else {
        move_down(index, last);
    }
}

TimerNode& TimerHeap::pop_first() noexcept {
    TimerNode& first = *entries_.front().node;
    remove(first);
    return first;
}

void TimerHeap::place(std::size_t index, const Entry& entry) noexcept {
    entries_[index] = entry;
    entry.node->heap_index_ = static_cast<std::uint32_t>(index);
}

void TimerHeap::move_up(std::size_t index, const Entry& entry) noexcept {
    while (index > 0) {
        std::size_t parent = (index - 1) / arity;
        if (!entry.before(entries_[parent])) break;
        place(index, entries_[parent]);
        index = parent;
    }
    place(index, entry);
}

void TimerHeap::move_down(std::size_t index, const Entry& entry) noexcept {
    for (;;) {
        std::size_t first_child = index * arity + 1;
        if (first_child >= entries_.size()) break;
        std::size_t end = std::min(first_child + arity, entries_.size());
        // What is compared next is not in the cache, in a heap of many: it comes while these are compared.
        if (std::size_t next = first_child * arity + 1; next + arity * arity <= entries_.size()) {
            const Entry* children = &entries_[next];
            __builtin_prefetch(children);
            __builtin_prefetch(children + arity);
            __builtin_prefetch(children + 2 * arity);
            __builtin_prefetch(children + 3 * arity);
        }
        std::size_t earliest = first_child;
        for (std::size_t child = first_child + 1; child < end; ++child) {
            if (entries_[child].before(entries_[earliest])) earliest = child;
        }
        if (!entries_[earliest].before(entry)) break;
        place(index, entries_[earliest]);
        index = earliest;
    }
    place(index, entry);
}

}  // namespace asyncio::detail
