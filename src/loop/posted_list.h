#pragma once

#include <asyncio/loop/scheduling.h>

#include <atomic>

namespace asyncio::detail {

/// What other threads hand to a loop. Any thread adds to it, without a lock; the loop's own takes out all at once, in
/// the order in which they were added.
class PostedList {
public:
    PostedList() noexcept = default;
    bool empty() const noexcept { return last_.load(std::memory_order_relaxed) == nullptr; }
    /// Null if there is none.
    ListLinks* last() const noexcept { return last_.load(std::memory_order_acquire); }
    /// One that nothing can be added to, and that looks as if there were something.
    static PostedList& never_empty() noexcept {
        static PostedList list{Closed()};
        return list;
    }
    bool is_closed(const ListLinks* last) const noexcept { return last == &closed_; }
    /// Adds the node behind the one that was found to be the last. False if another is, which `last` is then.
    bool add_behind(ListLinks*& last, ReadyNode& node) noexcept {
        ListLinks& links = static_cast<ListHook<>&>(node);
        links.next = last;
        if (last_.compare_exchange_weak(last, &links, std::memory_order_release, std::memory_order_acquire))
            return true;
        links.next = nullptr;  // it may never be added
        return false;
    }

    /// Nothing if it is closed.
    void move_to(ReadyList& list) noexcept {
        if (!is_closed(last())) append(list, last_.exchange(nullptr, std::memory_order_acquire));
    }
    /// The same, for the last time.
    void close(ReadyList& list) noexcept { append(list, last_.exchange(&closed_, std::memory_order_acq_rel)); }

private:
    struct Closed {};
    explicit PostedList(Closed) noexcept : last_(&closed_) {}
    static void append(ReadyList& list, ListLinks* last) noexcept {
        ListLinks* following = &list.head_;
        ListNext* const last_in_list = following->previous;
        while (last != nullptr) {
            ListLinks* before = last->next;
            last->next = following;
            following->previous = last;
            following = last;
            last = before;
        }
        following->previous = last_in_list;
        last_in_list->next = following;
    }

    std::atomic<ListLinks*> last_ = nullptr;  // the `next` of each is the one before it
    ListLinks closed_;
};

}  // namespace asyncio::detail
