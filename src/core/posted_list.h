#pragma once

#include <asyncio/core/scheduling.h>

#include <atomic>

namespace asyncio::detail {

/// What other threads hand to a loop. Any thread adds to it, without a lock; the loop's own takes out all at once, in
/// the order in which they were added.
class PostedList {
public:
    using Hook = ListHook<>;

    bool empty() const noexcept { return last_.load(std::memory_order_relaxed) == nullptr; }
    /// Null if there is none.
    Hook* last() const noexcept { return last_.load(std::memory_order_acquire); }
    bool is_closed(const Hook* last) const noexcept { return last == &closed_; }
    /// Adds the node behind the one that was found to be the last. False if another is, which `last` is then.
    bool add_behind(Hook*& last, ReadyNode& node) noexcept {
        node.next_ = last;
        if (last_.compare_exchange_weak(last, &node, std::memory_order_release, std::memory_order_acquire)) return true;
        node.next_ = nullptr;  // it may never be added
        return false;
    }

    void move_to(ReadyList& list) noexcept { append(list, last_.exchange(nullptr, std::memory_order_acquire)); }
    /// The same, for the last time.
    void close(ReadyList& list) noexcept { append(list, last_.exchange(&closed_, std::memory_order_acq_rel)); }

private:
    static void append(ReadyList& list, Hook* last) noexcept {
        Hook* following = &list.head_;
        Hook* const last_in_list = following->previous_;
        while (last != nullptr) {
            Hook* before = last->next_;
            last->next_ = following;
            following->previous_ = last;
            following = last;
            last = before;
        }
        following->previous_ = last_in_list;
        last_in_list->next_ = following;
    }

    std::atomic<Hook*> last_ = nullptr;  // the `next_` of each is the one before it
    Hook closed_;
};

}  // namespace asyncio::detail
