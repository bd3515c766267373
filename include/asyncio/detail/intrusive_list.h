#pragma once

namespace asyncio::detail {

class PostedList;

/// Makes the object that derives from it a member of at most one IntrusiveList, without allocation.
/// An object that dies leaves its list. `Tag` tells several hooks of one object apart.
template <class Tag = void>
class ListHook {
public:
    ListHook() noexcept = default;
    ListHook(const ListHook&) = delete;
    ListHook& operator=(const ListHook&) = delete;
    ~ListHook() { unlink(); }

    bool is_linked() const noexcept { return next_ != nullptr; }
    void unlink() noexcept {
        if (next_ == nullptr) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = previous_ = nullptr;
    }
    /// `other`, which is in no list, takes its place in the list that it is in.
    void give_place_to(ListHook& other) noexcept {
        other.next_ = next_;
        other.previous_ = previous_;
        previous_->next_ = next_->previous_ = &other;
        next_ = previous_ = nullptr;
    }

private:
    template <class T, class U>
    friend class IntrusiveList;
    friend class PostedList;
    ListHook* next_ = nullptr;
    ListHook* previous_ = nullptr;
};

/// A doubly linked list of objects that it does not own. Every operation but counting takes constant time,
/// and an object can leave without knowing its list.
template <class T, class Tag = void>
class IntrusiveList {
    using Hook = ListHook<Tag>;

public:
    IntrusiveList() noexcept { head_.next_ = head_.previous_ = &head_; }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;

    bool empty() const noexcept { return head_.next_ == &head_; }
    T& front() noexcept { return static_cast<T&>(*head_.next_); }
    void push_back(T& item) noexcept { insert_before(head_, item); }
    void push_front(T& item) noexcept { insert_before(*head_.next_, item); }

    T& pop_front() noexcept {
        Hook* first = head_.next_;
        head_.next_ = first->next_;
        first->next_->previous_ = &head_;
        first->next_ = first->previous_ = nullptr;
        return static_cast<T&>(*first);
    }

    /// Moves all of `other` behind the last item.
    void splice_back(IntrusiveList& other) noexcept { splice_before(head_, other); }

    class Iterator {
    public:
        explicit Iterator(Hook* hook) noexcept : hook_(hook) {}
        T& operator*() const noexcept { return static_cast<T&>(*hook_); }
        Iterator& operator++() noexcept {
            hook_ = hook_->next_;
            return *this;
        }
        bool operator==(const Iterator&) const noexcept = default;

    private:
        Hook* hook_;
    };
    Iterator begin() noexcept { return Iterator(head_.next_); }
    Iterator end() noexcept { return Iterator(&head_); }

private:
    friend class PostedList;
    static void insert_before(Hook& place, Hook& item) noexcept {
        item.next_ = &place;
        item.previous_ = place.previous_;
        place.previous_->next_ = &item;
        place.previous_ = &item;
    }
    static void splice_before(Hook& place, IntrusiveList& other) noexcept {
        if (other.empty()) return;
        Hook* first = other.head_.next_;
        Hook* last = other.head_.previous_;
        first->previous_ = place.previous_;
        place.previous_->next_ = first;
        last->next_ = &place;
        place.previous_ = last;
        other.head_.next_ = other.head_.previous_ = &other.head_;
    }

    Hook head_;
};

}  // namespace asyncio::detail
