#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Owns an object that never moves.
template <class T>
class Boxed {
public:
    explicit Boxed(T&& object) : object_(new T(static_cast<T&&>(object))) {}
    Boxed(Boxed&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Boxed& operator=(Boxed&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Boxed() { delete object_; }
    T& get() noexcept { return *object_; }
    const T& get() const noexcept { return *object_; }

private:
    T* object_;
};

template <class T>
class Unboxed {
public:
    explicit Unboxed(T&& object) noexcept : object_(static_cast<T&&>(object)) {}
    T& get() noexcept { return object_; }
    const T& get() const noexcept { return object_; }

private:
    T object_;
};

/// An item in a queue, which can always be moved: one whose own move may throw is kept in a box.
template <class T>
using Kept = std::conditional_t<std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                                Unboxed<T>, Boxed<T>>;

/// First in, first out: a ring that grows. All kinds of items know `push(item)`; `next()`, the item that comes out
/// next, and `pop()`, which removes it right after that; `take_all()`. Whatever throws has changed nothing.
template <class T>
class FifoItems {
    using Item = Kept<T>;
    static constexpr std::align_val_t alignment{alignof(Item)};

public:
    static constexpr const char* name = "Queue";
    FifoItems() noexcept = default;
    FifoItems(FifoItems&& other) noexcept { swap(other); }
    ~FifoItems() {
        while (head_ != tail_) pop();
        ::operator delete(ring_, alignment);
    }

    void push(T&& item) {
        if (tail_ - head_ == capacity_) [[unlikely]]
            grow();
        ::new (static_cast<void*>(place(tail_))) Item(static_cast<T&&>(item));
        ++tail_;
    }
    T& next() noexcept { return place(head_)->get(); }
    void pop() noexcept { place(head_++)->~Item(); }
    FifoItems take_all() noexcept { return std::move(*this); }
    template <class Function>
    void for_each(Function&& function) const {
        for (std::size_t i = head_; i != tail_; ++i) function(place(i)->get());
    }

private:
    void swap(FifoItems& other) noexcept {
        std::swap(ring_, other.ring_);
        std::swap(capacity_, other.capacity_);
        std::swap(head_, other.head_);
        std::swap(tail_, other.tail_);
    }
    Item* place(std::size_t index) const noexcept { return ring_ + (index & (capacity_ - 1)); }
    void grow() {
        FifoItems larger;
        std::size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
        larger.ring_ = static_cast<Item*>(::operator new(capacity * sizeof(Item), alignment));
        larger.capacity_ = capacity;
        for (; head_ != tail_; ++head_, ++larger.tail_) {
            ::new (static_cast<void*>(larger.place(larger.tail_))) Item(std::move(*place(head_)));
            place(head_)->~Item();
        }
        swap(larger);
    }

    Item* ring_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two, or none
    std::size_t head_ = 0;      // counts all that were taken, and tail_ all that were put
    std::size_t tail_ = 0;
};

/// Last in, first out.
template <class T>
class LifoItems {
public:
    static constexpr const char* name = "LifoQueue";
    void push(T&& item) { items_.emplace_back(static_cast<T&&>(item)); }
    T& next() noexcept { return items_.back().get(); }
    void pop() noexcept { items_.pop_back(); }
    std::vector<Kept<T>> take_all() noexcept { return std::move(items_); }
    template <class Function>
    void for_each(Function&& function) const {
        for (const Kept<T>& item : items_) function(item.get());
    }

private:
    std::vector<Kept<T>> items_;
};

namespace bases {

/// What `<` says.
class Less {
public:
    template <class T>
    bool operator()(const T& a, const T& b) const {
        return static_cast<bool>(a < b);
    }
};

}  // namespace bases
using bases::Less;

/// The smallest first: a heap that takes the steps of Python's heapq, so that equal items come in Python's order, too.
/// All comparisons come before anything is moved.
template <class T, class Compare>
class HeapItems {
public:
    static constexpr const char* name = "PriorityQueue";
    explicit HeapItems(Compare compare) : compare_(std::move(compare)) {}

    void push(T&& item) {
        items_.emplace_back(static_cast<T&&>(item));
        std::size_t place = items_.size() - 1;
        try {
            while (place > 0 && less(items_.size() - 1, parent(place))) place = parent(place);
        } catch (...) {
            items_.pop_back();
            throw;
        }
        for (std::size_t i = items_.size() - 1; i != place; i = parent(i)) std::swap(items_[i], items_[parent(i)]);
    }
    T& next() {
        // The smaller children come up into the place of the first, and the last one goes to where it belongs in their
        // row.
        std::size_t last = items_.size() - 1;
        place_of_last_ = 0;
        for (std::size_t child = 1; child < last; child = 2 * place_of_last_ + 1) {
            if (child + 1 < last && !less(child, child + 1)) ++child;
            place_of_last_ = child;
        }
        while (place_of_last_ > 0 && less(last, place_of_last_)) place_of_last_ = parent(place_of_last_);
        return items_.front().get();
    }
    void pop() noexcept {
        Kept<T> item = std::move(items_.back());
        items_.pop_back();
        if (items_.empty()) return;
        for (std::size_t i = place_of_last_;; i = parent(i)) {
            std::swap(items_[i], item);
            if (i == 0) return;
        }
    }
    std::vector<Kept<T>> take_all() noexcept { return std::move(items_); }
    template <class Function>
    void for_each(Function&& function) const {
        for (const Kept<T>& item : items_) function(item.get());
    }

private:
    static std::size_t parent(std::size_t index) noexcept { return (index - 1) / 2; }
    bool less(std::size_t a, std::size_t b) {
        return compare_(std::as_const(items_[a]).get(), std::as_const(items_[b]).get());
    }

    std::vector<Kept<T>> items_;
    std::size_t place_of_last_ = 0;  // once next() has looked
    [[no_unique_address]] Compare compare_;
};

}  // namespace asyncio::detail
