#pragma once

namespace asyncio::detail {

class PostedList;

/// The neighbours of a list's member; in the list itself its first and its last.
struct ListLinks {
    ListLinks* next = nullptr;
    ListLinks* previous = nullptr;
};

/// Makes the object that derives from it a member of at most one IntrusiveList, without allocation.
/// An object that dies leaves its list. `Tag` tells several hooks of one object apart.
template <class Tag = void>
class ListHook : private ListLinks {
public:
    ListHook() noexcept = default;
    ListHook(const ListHook&) = delete;
    ListHook& operator=(const ListHook&) = delete;
    ~ListHook() { unlink(); }

    bool is_linked() const noexcept { return next != nullptr; }
    void unlink() noexcept {
        if (next == nullptr) return;
        previous->next = next;
        next->previous = previous;
        next = previous = nullptr;
    }
    /// `other`, which is in no list, takes its place in the list that it is in.
    void give_place_to(ListHook& other) noexcept {
        other.next = next;
        other.previous = previous;
        previous->next = next->previous = &other;
        next = previous = nullptr;
    }

private:
    template <class T, class U>
    friend class IntrusiveList;
    friend class PostedList;
};

/// A doubly linked list of objects that it does not own. Every operation but counting takes constant time,
/// and an object can leave without knowing its list.
template <class T, class Tag = void>
class IntrusiveList {
    using Hook = ListHook<Tag>;

public:
    IntrusiveList() noexcept { head_.next = head_.previous = &head_; }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;
    /// Members that are left stay linked with each other: they may still leave.
    ~IntrusiveList() {
        if (empty()) return;
        head_.previous->next = head_.next;
        head_.next->previous = head_.previous;
    }

    bool empty() const noexcept { return head_.next == &head_; }
    T& front() noexcept { return item_of(*head_.next); }
    void push_back(T& item) noexcept { insert_before(head_, static_cast<Hook&>(item)); }
    void push_front(T& item) noexcept { insert_before(*head_.next, static_cast<Hook&>(item)); }

    T& pop_front() noexcept {
        ListLinks* first = head_.next;
        head_.next = first->next;
        first->next->previous = &head_;
        first->next = first->previous = nullptr;
        return item_of(*first);
    }

    /// Moves all of `other` behind the last item.
    void splice_back(IntrusiveList& other) noexcept { splice_before(head_, other); }

    class Iterator {
    public:
        explicit Iterator(ListLinks* links) noexcept : links_(links) {}
        T& operator*() const noexcept { return item_of(*links_); }
        Iterator& operator++() noexcept {
            links_ = links_->next;
            return *this;
        }
        bool operator==(const Iterator&) const noexcept = default;

    private:
        ListLinks* links_;
    };
    Iterator begin() noexcept { return Iterator(head_.next); }
    Iterator end() noexcept { return Iterator(&head_); }

private:
    friend class PostedList;
    static T& item_of(ListLinks& links) noexcept { return static_cast<T&>(static_cast<Hook&>(links)); }
    static void insert_before(ListLinks& place, ListLinks& item) noexcept {
        item.next = &place;
        item.previous = place.previous;
        place.previous->next = &item;
        place.previous = &item;
    }
    static void splice_before(ListLinks& place, IntrusiveList& other) noexcept {
        if (other.empty()) return;
        ListLinks* first = other.head_.next;
        ListLinks* last = other.head_.previous;
        first->previous = place.previous;
        place.previous->next = first;
        last->next = &place;
        place.previous = last;
        other.head_.next = other.head_.previous = &other.head_;
    }

    ListLinks head_;
};

}  // namespace asyncio::detail
