#pragma once

namespace asyncio::detail {

class PostedList;
template <class T, class Tag>
class IntrusiveList;
template <class T, class Tag>
class IntrusiveStack;

namespace bases {

struct ListLinks;

/// What the one before a member has in any case: also a list that is one word.
struct ListNext {
    ListLinks* next = nullptr;
};

/// The neighbours of a list's member; in the list itself its first and its last.
struct ListLinks : ListNext {
    ListNext* previous = nullptr;
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

    bool is_linked() const noexcept { return previous != nullptr; }
    void unlink() noexcept {
        if (previous == nullptr) return;
        previous->next = next;
        if (next != nullptr) next->previous = previous;
        next = nullptr;
        previous = nullptr;
    }
    /// `other`, which is in no list, takes its place in the list that it is in.
    void give_place_to(ListHook& other) noexcept {
        other.next = next;
        other.previous = previous;
        previous->next = &other;
        if (next != nullptr) next->previous = &other;
        next = nullptr;
        previous = nullptr;
    }

private:
    template <class T, class U>
    friend class detail::IntrusiveList;
    template <class T, class U>
    friend class detail::IntrusiveStack;
    friend class detail::PostedList;
};

}  // namespace bases
using bases::ListHook;
using bases::ListLinks;
using bases::ListNext;

/// A doubly linked list of objects that it does not own. Every operation but counting takes constant time,
/// and an object can leave without knowing its list.
template <class T, class Tag = void>
class IntrusiveList {
    using Hook = ListHook<Tag>;

public:
    IntrusiveList() noexcept { make_empty(); }
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
    T& back() noexcept { return item_of(static_cast<ListLinks&>(*head_.previous)); }
    void push_back(T& item) noexcept { insert_before(head_, static_cast<Hook&>(item)); }
    void push_front(T& item) noexcept { insert_before(*head_.next, static_cast<Hook&>(item)); }

    T& pop_front() noexcept {
        ListLinks* first = head_.next;
        head_.next = first->next;
        first->next->previous = &head_;
        first->next = nullptr;
        first->previous = nullptr;
        return item_of(*first);
    }

    /// Of an item that is in such a list. Saves the two questions of unlink().
    static void take_out(T& item) noexcept {
        auto& links = static_cast<Hook&>(item);
        links.previous->next = links.next;
        links.next->previous = links.previous;
        links.next = nullptr;
        links.previous = nullptr;
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
    static Iterator at(T& item) noexcept { return Iterator(&static_cast<Hook&>(item)); }

private:
    friend class PostedList;
    void make_empty() noexcept {
        head_.next = &head_;
        head_.previous = &head_;
    }
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
        ListNext* last = other.head_.previous;
        first->previous = place.previous;
        place.previous->next = first;
        last->next = &place;
        place.previous = last;
        other.make_empty();
    }

    ListLinks head_;
};

/// The members of such a list, the newest first: half the size, for the many objects whose list is mostly empty.
template <class T, class Tag = void>
class IntrusiveStack {
    using Hook = ListHook<Tag>;

public:
    IntrusiveStack() noexcept = default;
    IntrusiveStack(const IntrusiveStack&) = delete;
    IntrusiveStack& operator=(const IntrusiveStack&) = delete;
    ~IntrusiveStack() {
        while (!empty()) pop();
    }

    bool empty() const noexcept { return head_.next == nullptr; }
    bool has_one() const noexcept { return head_.next != nullptr && head_.next->next == nullptr; }
    void push(T& item) noexcept {
        auto& links = static_cast<Hook&>(item);
        links.next = head_.next;
        links.previous = &head_;
        if (head_.next != nullptr) head_.next->previous = &links;
        head_.next = &links;
    }
    T& pop() noexcept {
        auto& links = static_cast<Hook&>(*head_.next);
        head_.next = links.next;
        if (head_.next != nullptr) head_.next->previous = &head_;
        links.next = nullptr;
        links.previous = nullptr;
        return static_cast<T&>(links);
    }
    /// Moves all to the front of a list, the oldest first.
    void move_to(IntrusiveList<T, Tag>& list) noexcept {
        while (!empty()) list.push_front(pop());
    }

    using Iterator = typename IntrusiveList<T, Tag>::Iterator;
    Iterator begin() const noexcept { return Iterator(head_.next); }
    Iterator end() const noexcept { return Iterator(nullptr); }

private:
    ListNext head_;
};

}  // namespace asyncio::detail
