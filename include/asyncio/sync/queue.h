#pragma once

#include <asyncio/detail/view_of_temporary.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>
#include <asyncio/sync/queue_base.h>
#include <asyncio/sync/queue_items.h>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {
namespace detail {

/// `get()` under way. It is a wait only if it has to be one.
template <class Owner>
class [[nodiscard]] [[gnu::warn_unused]] GetAwaiter final : public NativeAwaitable {
    using T = typename Owner::value_type;

public:
    explicit GetAwaiter(Owner& queue) noexcept : queue_(queue) {}
    bool await_ready() const noexcept { return !queue_.empty(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        QueueWait& wait = wait_.emplace(queue_, QueueWait::For::item);
        queue_.wait(wait, queue_.getters(), *frame.promise().task(), frame);
    }
    [[gnu::always_inline]] T await_resume() {
        if (!wait_) return queue_.take_unwoken();
        wait_->end(queue_.getters());
        try {
            queue_.check_getting();
            return queue_.take();
        } catch (...) {
            wait_->hand_on();
            throw;
        }
    }

private:
    Owner& queue_;
    std::optional<QueueWait> wait_;
};

/// `put()` under way.
template <class Owner>
class [[nodiscard]] [[gnu::warn_unused]] PutAwaiter final : public NativeAwaitable {
    using T = typename Owner::value_type;

public:
    PutAwaiter(Owner& queue, T& item) noexcept : queue_(queue), item_(item) {}
    bool await_ready() const noexcept { return !queue_.full(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        QueueWait& wait = wait_.emplace(queue_, QueueWait::For::room);
        queue_.wait(wait, queue_.putters(), *frame.promise().task(), frame);
    }
    [[gnu::always_inline]] void await_resume() {
        if (!wait_) return queue_.put_where_room_is(item_);
        wait_->end(queue_.putters());
        try {
            queue_.check_putting();
            queue_.push(item_);
        } catch (...) {
            wait_->hand_on();
            throw;
        }
    }

private:
    Owner& queue_;
    T& item_;
    std::optional<QueueWait> wait_;
};

/// What `put(item)` returns: keeps the item until it is in the queue.
template <class Owner>
class [[nodiscard("put() puts only where it is awaited")]] PutOperation : public NativeAwaitable {
    using T = typename Owner::value_type;

public:
    PutOperation(Owner & queue, T && item) noexcept(std::is_nothrow_move_constructible_v<T>)
        : queue_(&queue), item_(static_cast<T&&>(item)) {}
    PutAwaiter<Owner> operator co_await() noexcept { return PutAwaiter<Owner>(*queue_, item_); }

private:
    Owner* queue_;
    T item_;
};

namespace bases {

/// What the three queues have in common. `Items` keeps the items, and decides which is next.
template <class T, class Items>
class QueueOf : public QueueBase {
    static_assert(std::is_object_v<T> && std::is_move_constructible_v<T>, "items are objects that can be moved");

public:
    using value_type = T;

    /// Puts the item into the queue, at once if there is room, else as soon as there is. Throws QueueShutDown if the
    /// queue is or gets shut down. Cancelled, it has put nothing, and the room goes to the next who waits.
    PutOperation<QueueOf> put(T item) { return PutOperation<QueueOf>(*this, static_cast<T&&>(item)); }
    /// Throws QueueFull if there is no room, QueueShutDown if the queue was shut down.
    void put_nowait(T item) {
        check_putting();
        push_unwoken(item);
    }
    template <class U>
    requires ViewsTemporary<T, U&&>
    void put(U&&) { refuse<U>(); }
    template <class U>
    requires ViewsTemporary<T, U&&>
    void put_nowait(U&&) { refuse<U>(); }

    /// Takes the next item out, at once if there is one, else as soon as there is. Throws QueueShutDown if the queue is
    /// empty and is or gets shut down. Cancelled, it has taken nothing, and the item goes to the next who waits.
    Operation<QueueOf, GetAwaiter<QueueOf>> get() noexcept { return Operation<QueueOf, GetAwaiter<QueueOf>>(*this); }
    /// Throws QueueEmpty if there is no item, QueueShutDown if there will be none any more.
    T get_nowait() {
        check_getting();
        return take_unwoken();
    }

    /// From now on put() throws QueueShutDown, and get() once the queue is empty; all who wait in them go on. With
    /// `immediate` the items are dropped, and count as done for join().
    void shutdown(bool immediate = false) {
        check_thread();
        if (!immediate) return shut_down(false);
        auto dropped = items_.take_all();  // dies last: a destructor of an item may do anything
        shut_down(true);
    }

    /// For repr() and str().
    std::string describe(bool with_address) const {
        std::string items;
        items_.for_each([&items](const T& item) { items += (items.empty() ? "" : ", ") + repr_of_item(item); });
        return QueueBase::describe(Items::name, items, with_address);
    }

protected:
    explicit QueueOf(std::ptrdiff_t maxsize, Items items = Items()) : QueueBase(maxsize), items_(std::move(items)) {}
    ~QueueOf() = default;

private:
    friend class GetAwaiter<QueueOf>;
    friend class PutAwaiter<QueueOf>;

    /// It is not empty.
    T take() {
        T item(static_cast<T&&>(items_.next()));  // if that throws, the item is still in the queue
        items_.pop();
        item_taken();
        return item;
    }
    /// The same for who was not woken for it.
    T take_unwoken() {
        getters().somebody_is_faster();
        return take();
    }

    template <class U>
    static void refuse() {
        static_assert(never<U>,
                      "the queue would keep a view of a temporary, which dies with this line: make it a Queue of what "
                      "owns the elements, Queue<std::string>, say");
    }
    void wait(QueueWait& wait, QueueLine& line, TaskBase& task, std::coroutine_handle<> frame) {
        check_open();
        if (!bind(task)) throw_bound_to_other_loop(describe(true));
        wait.start(line, task, frame);
    }
    void put_where_room_is(T& item) {
        check_open();
        push_unwoken(item);
    }
    /// For who was not woken for it.
    void push_unwoken(T& item) {
        putters().somebody_is_faster();
        push(item);
    }
    void push(T& item) {
        items_.push(static_cast<T&&>(item));
        item_added();
    }
    static std::string repr_of_item(const T& item) {
        if constexpr (std::is_convertible_v<const T&, std::string_view>) {
            return detail::quoted(item);  // whole, unlike in the repr of a future
        } else {
            return repr_of(item);
        }
    }

    Items items_;
};

}  // namespace bases
using bases::QueueOf;

}  // namespace detail

/// Hands items from tasks to tasks, first in, first out.
///
/// With a `maxsize` above zero, `put()` waits while so many items are in it. Those who wait in `get()`, and those who
/// wait in `put()`, are woken in the order in which they came, one for each item or place, and go on in the loop's next
/// pass. What they were woken for is not reserved: if somebody else was faster (`get_nowait()`, or a task that did not
/// have to wait), they wait again, at the end of the line. An item stays in the queue until a task really has it, so no
/// cancellation loses one; nor does an item whose move throws get lost. Items that can be moved are enough. Beyond the
/// room for its items it allocates nothing.
///
/// It belongs to the first loop in which a task has to wait for it, and must outlive its use; not thread-safe: from
/// another thread, `loop.call_soon_threadsafe([&] { queue.put_nowait(item); })`.
///
/// ```cpp
/// co_await queue.put(url);
/// std::string url = co_await queue.get();
/// ```
/// Python: asyncio.Queue. The other two queues are no subclasses of it here.
template <class T>
class Queue : public detail::QueueOf<T, detail::FifoItems<T>> {
public:
    Queue() : Queue(0) {}  // not explicit: in an aggregate it is made from `{}`
    explicit Queue(std::ptrdiff_t maxsize) : detail::QueueOf<T, detail::FifoItems<T>>(maxsize) {}
};

/// A Queue that gives the smallest item first: `compare(a, b)` is whether `a` comes before `b`.
///
/// Among equal ones none is preferred; the order is Python's. Items are often tuples of a priority and something, or
/// have a `operator<` of their own. Python: asyncio.PriorityQueue.
template <class T, class Compare = detail::Less>
class PriorityQueue : public detail::QueueOf<T, detail::HeapItems<T, Compare>> {
public:
    PriorityQueue() : PriorityQueue(0) {}
    explicit PriorityQueue(std::ptrdiff_t maxsize, Compare compare = Compare())
        : detail::QueueOf<T, detail::HeapItems<T, Compare>>(maxsize,
                                                            detail::HeapItems<T, Compare>(std::move(compare))) {}
};

/// A Queue that gives the item first that was put last. Python: asyncio.LifoQueue.
template <class T>
class LifoQueue : public detail::QueueOf<T, detail::LifoItems<T>> {
public:
    LifoQueue() : LifoQueue(0) {}
    explicit LifoQueue(std::ptrdiff_t maxsize) : detail::QueueOf<T, detail::LifoItems<T>>(maxsize) {}
};

/// `<Queue at 0x7f5c maxsize=2 _queue=[1, 2] _putters[1] tasks=2>`, as Python prints it.
template <class T, class Items>
std::string repr(const detail::QueueOf<T, Items>& queue) {
    return queue.describe(true);
}
/// The same without the address.
template <class T, class Items>
std::string str(const detail::QueueOf<T, Items>& queue) {
    return queue.describe(false);
}

}  // namespace asyncio
