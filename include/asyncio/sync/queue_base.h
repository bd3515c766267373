#pragma once

#include <asyncio/core/task_base.h>
#include <asyncio/core/wait_queue.h>
#include <asyncio/sync/guard.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace asyncio {

/// `get_nowait()` found nothing. Python: asyncio.QueueEmpty.
class QueueEmpty : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    QueueEmpty() : std::runtime_error("") {}
};

/// `put_nowait()` found no room. Python: asyncio.QueueFull.
class QueueFull : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    QueueFull() : std::runtime_error("") {}
};

/// The queue was shut down: it takes no more items, and has none to give. Python: asyncio.QueueShutDown.
class QueueShutDown : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    QueueShutDown() : std::runtime_error("") {}
};

namespace detail {

namespace bases {
class QueueBase;
}
using bases::QueueBase;
class QueueLine;

/// One wait in `get()` or `put()`, until there is an item or room, or the queue was shut down.
///
/// Whoever was woken finds what it was woken for, unless somebody was faster meanwhile: then QueueLine has it look once
/// more in its turn, and it waits again at the end of the line if there is nothing left.
class QueueWait final : public QueueWaiter {
public:
    enum class For : std::uint8_t { item, room };
    QueueWait(QueueBase& queue, For what) noexcept : QueueWaiter(WaitKind::queue, &queue_), queue_(&queue) {
        free_byte_ = static_cast<std::uint8_t>(what);
    }
    ~QueueWait() {
        if (is_in_line()) [[unlikely]]
            leave_line();
    }

    void tell(WaitStory& story) const override;
    void start(QueueLine& line, TaskBase& task, std::coroutine_handle<> frame) noexcept;
    /// First in `await_resume`: throws CancelledError if it or the task was cancelled.
    [[gnu::always_inline]] void end(QueueLine& line);
    /// It was woken and cannot use what it was woken for: somebody else may.
    void hand_on();

private:
    friend class QueueLine;
    void turn() override;
    void wake_in_line();
    void look_in_turn() noexcept { task_->set_run(&QueueWait::run_turn); }
    void leave_line() noexcept;
    Ref<CancelRequest> end_cancelled();
    QueueLine& line() const noexcept;
    bool is_there() const noexcept;  // what it waits for
    bool is_for_item() const noexcept { return free_byte_ == static_cast<std::uint8_t>(For::item); }

    QueueBase* queue_;
};

/// The tasks that wait in `get()`, or those that wait in `put()`, first come, first served.
///
/// A WaitQueue tells of all that have not gone on yet, for the primitives of Python's locks.py do that; its queues.py
/// shows how many have to be woken still.
///
/// There are never more who were woken, and will not look once more, than there are items (or places) for them: each
/// was woken for one, and whoever takes one without having been woken for it calls `somebody_is_faster()` first.
class QueueLine {
public:
    QueueLine() noexcept : next_(line_.end()), plain_(line_.end()) {}
    ~QueueLine();
    QueueLine(const QueueLine&) = delete;
    QueueLine& operator=(const QueueLine&) = delete;

    void push_back(QueueWait& wait) noexcept {
        line_.push_back(wait);
        if (next_ != line_.end()) return;
        if (plain_ == next_) plain_ = line_.at(wait);
        next_ = line_.at(wait);
    }
    void leave(QueueWait& wait) noexcept {
        if (plain_ == line_.at(wait)) ++plain_;
        if (next_ == line_.at(wait)) ++next_;
        line_.take_out(wait);
    }
    /// Wakes the first that waits still.
    void wake_next() {
        if (next_ != line_.end()) wake_first_pending();
    }
    void wake_all();
    /// Somebody takes what others were woken for.
    void somebody_is_faster() noexcept {
        if (plain_ != next_) [[unlikely]]
            look_in_turn();
    }
    void look_in_turn() noexcept;
    /// How many have to be woken yet, or were cancelled and nobody behind them was woken.
    std::size_t size() const noexcept;

private:
    void wake_first_pending();

    mutable IntrusiveList<QueueWaiter, WaitQueue> line_;
    IntrusiveList<QueueWaiter, WaitQueue>::Iterator next_;   // to be woken; those before it have yet to go on
    IntrusiveList<QueueWaiter, WaitQueue>::Iterator plain_;  // from here to next_: will not look once more
};

inline void QueueWait::end(QueueLine& line) {
    if (is_cancelled() || task_->cancel_is_due()) [[unlikely]]
        throw CancelledError(end_cancelled());
    line.leave(*this);
}

/// A wait in `join()`.
class [[nodiscard]] [[gnu::warn_unused]] JoinWaiter final : public QueueWaiter {
public:
    explicit JoinWaiter(QueueBase& queue) noexcept : QueueWaiter(WaitKind::queue, &queue_), queue_(&queue) {}
    void tell(WaitStory& story) const override;
    bool await_ready() const noexcept;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    [[gnu::always_inline]] void await_resume() {
        leave();
        check();
    }

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    QueueBase* queue_;
};

namespace bases {

/// Everything of a queue that does not name the type of its items.
class QueueBase {
public:
    QueueBase(const QueueBase&) = delete;  // tasks share it: pass it by reference, or in a std::shared_ptr
    QueueBase& operator=(const QueueBase&) = delete;

    /// How many items are in it.
    std::size_t qsize() const noexcept { return size_; }
    /// How many may be in it; zero or less: any number.
    std::ptrdiff_t maxsize() const noexcept { return maxsize_; }
    /// Whether `get()` would have to wait. Python: queue.empty().
    bool empty() const noexcept { return size_ == 0; }
    /// Never true without a maxsize.
    bool full() const noexcept { return maxsize_ > 0 && size_ >= static_cast<std::size_t>(maxsize_); }

    /// Says that what one `get()` gave has been dealt with. Throws ValueError if called more often than items were put.
    void task_done();
    /// Waits until every item that was put was taken and reported by `task_done()`; not at all if there is none such.
    /// Who waits goes on one pass after the last `task_done()`, even if another item has come meanwhile.
    /// Cancelling changes nothing.
    Operation<QueueBase, JoinWaiter> join() noexcept { return Operation<QueueBase, JoinWaiter>(*this); }

protected:
    explicit QueueBase(std::ptrdiff_t maxsize) noexcept : maxsize_(maxsize) {}
    ~QueueBase();

    /// Belongs to the loop of the first task that has to wait. False: the task is one of another loop.
    bool bind(TaskBase& task) noexcept { return loop_ == &task.loop() || bind_first(task); }
    void check_putting() const {
        if (flags_ != 0 || full()) [[unlikely]]
            look_before_put();
    }
    void check_getting() const {
        if (flags_ != 0 || empty()) [[unlikely]]
            look_before_get();
    }
    void check_open() const {
        if (flags_ != 0) [[unlikely]]
            look_if_open();
    }

    void item_added() {
        ++size_;
        ++unfinished_;
        getters_.wake_next();
    }
    void item_taken() {
        --size_;
        putters_.wake_next();
    }
    QueueLine& getters() noexcept { return getters_; }
    QueueLine& putters() noexcept { return putters_; }
    void check_thread() const;  // in debug mode, from another thread: throws
    void shut_down(bool drop_items);
    /// `items` as Python prints a list.
    std::string describe(const char* type, const std::string& items, bool with_address) const;

private:
    friend struct detail::InspectLayout;
    friend class detail::QueueWait;
    friend class detail::JoinWaiter;
    bool bind_first(TaskBase& task) noexcept;
    void look_before_put() const;
    void look_before_get() const;
    void look_if_open() const;
    bool is_shutdown() const noexcept { return (flags_ & shutdown_flag) != 0; }

    std::size_t size_ = 0;
    std::ptrdiff_t maxsize_;
    std::size_t unfinished_ = 0;
    static constexpr std::uint8_t shutdown_flag = 1;
    static constexpr std::uint8_t debug_flag = 2;  // its loop is in debug mode: it asks for the thread
    std::uint8_t flags_ = 0;
    LoopCore* loop_ = nullptr;
    QueueLine getters_;
    QueueLine putters_;
    WaitQueue joiners_;
};

}  // namespace bases

inline bool JoinWaiter::await_ready() const noexcept { return queue_->unfinished_ == 0; }

}  // namespace detail
}  // namespace asyncio
