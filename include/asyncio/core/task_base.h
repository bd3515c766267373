#pragma once

#include <asyncio/context/context.h>
#include <asyncio/core/future_base.h>
#include <asyncio/core/promise.h>
#include <asyncio/core/stack.h>

#include <coroutine>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

class EventLoop;

/// The keyword arguments of `create_task()`.
struct TaskOptions {
    std::string_view name = {};  ///< none (a view of nothing): `Task-1`, `Task-2` …
    ContextRef context = {};     ///< none: a copy of the current context
    std::optional<bool> eager_start = {};
};

namespace detail {

class Waiter;

/// A frame on a task's stack, as cheap to note as can be.
struct FramePlace {
    std::source_location function;
    std::source_location await_at;
    /// Before it the only line that is known of a coroutine is one of its definition, with g++ the last: nothing in it
    /// stood or was thrown there.
    bool has_awaited() const noexcept {
        return __builtin_bit_cast(const void*, await_at) != __builtin_bit_cast(const void*, function);
    }
};
StackEntry stack_entry(const FramePlace& place);

/// Where a task was made: the innermost coroutines of who made it, the innermost first. Debug mode notes it.
struct Birthplace {
    FramePlace places[2];  // with(), and whoever called it
    std::uint8_t count = 0;
};

/// A task's name in one word: the number of an unnamed task, or a text. And by it the task's identity: no other task of
/// the process has or will have the same, also when this one is gone and another lies at its address.
class TaskName {
public:
    TaskName() noexcept = default;
    TaskName(const TaskName&) = delete;
    TaskName& operator=(const TaskName&) = delete;
    ~TaskName();
    void assign(std::string_view name);
    void assign_number() noexcept;  // while it has no text
    void assign_number(std::uintptr_t number) noexcept { word_ = number << 1 | 1U; }
    std::string str() const;
    std::uintptr_t identity() const noexcept { return is_number() ? word_ : text().identity; }
    bool is_number() const noexcept { return (word_ & 1U) != 0; }
    /// 0: it has none, it is a text.
    std::uintptr_t number() const noexcept {
        if (is_number()) return word_ >> 1;
        return word_ == 0 || text().is_named ? 0 : text().identity >> 1;
    }
    /// Null: it has none, it is a number.
    const std::string* text_or_null() const noexcept {
        return word_ == 0 || is_number() || !text().is_named ? nullptr : &text().name;
    }
    /// Once it has a number or a text.
    void note_birthplace(const Birthplace& place) noexcept;  // left out where memory lacks
    const Birthplace* birthplace_or_null() const noexcept;
    void forget_birthplace() noexcept;  // of one that has no text

private:
    friend struct InspectLayout;
    struct Text {
        std::string name;
        std::uintptr_t identity;  // the number that the task had before, or an even one
        bool is_named = true;     // false: it has the number still
        bool is_born = false;     // it is a BornText
    };
    struct BornText;
    static void drop(Text* text) noexcept;
    Text& text() const noexcept { return *reinterpret_cast<Text*>(word_); }
    std::uintptr_t word_ = 0;  // odd: a number; even: a Text*
};

struct LiveTasks;  // the tag of the loop's list of unfinished tasks

/// A task, whatever its coroutine returns: runs the coroutine's frames one step at a time.
///
/// `innermost_` is the frame to resume next. Awaiting a coroutine makes its frame the innermost, its end makes the
/// parent's frame that again. A child that ends without having waited was run inside its parent's await; all else
/// returns to the step's loop, and so does an await that is too deep already: the machine's stack does not grow.
///
/// A task waits for one thing at a time, so there is one node for all: it is in the ready queue, among the timers, or
/// where the `Waiter` of the innermost frame has parked it.
class TaskBase : public FutureBase, public ListHook<LiveTasks>, public TimerNode {
public:
    // The task's side of Python's Task.
    bool cancel(const Ref<CancelRequest>& request) override;
    int cancelling() const noexcept { return static_cast<int>(cancels_requested_); }
    int uncancel() noexcept;
    std::string name() const { return name_.str(); }
    void set_name(std::string_view name) { name_.assign(name); }
    std::uintptr_t identity() const noexcept { return name_.identity(); }
    const TaskName& kept_name() const noexcept { return name_; }
    Context context() { return context_.context(); }
    ContextSlot& context_slot() noexcept { return context_; }
    std::vector<StackEntry> stack(std::optional<int> limit) const;
    /// Where the task's own coroutine is defined.
    std::source_location function() const noexcept;

    // What awaiters and promises do to the task that runs.
    void set_innermost(std::coroutine_handle<> frame) noexcept { innermost_ = frame; }
    /// The innermost frame has ended.
    void end_frame(const PromiseBase& frame) noexcept {
        if (CoroLink* link = frame.link()) {
            innermost_ = link->parent;
        } else {
            phase_ = Phase::ended;
        }
    }
    std::coroutine_handle<> innermost() const noexcept { return innermost_; }
    void block_on(Waiter& waiter, std::coroutine_handle<> frame) noexcept {
        innermost_ = frame;
        phase_ = Phase::blocked;
        waiter_ = &waiter;
        if (must_cancel_) [[unlikely]]
            cancel_wait(waiter);
    }
    void yield(std::coroutine_handle<> frame) noexcept;  // goes on in the next pass
    void go_on() noexcept;                               // what it waited for is over: it goes on in the next pass
    bool cancel_is_due() const noexcept { return cancel_due_; }
    bool cancel_is_ahead() const noexcept { return must_cancel_; }  // the next step throws it
    /// Takes that cancellation, which may have no message, away from the next step; false if there is none.
    bool take_cancel_ahead(Ref<CancelRequest>& request) noexcept;
    Ref<CancelRequest> take_due_cancel() noexcept {
        cancel_due_ = false;
        return cancel_request_;
    }
    /// The request that its wait was cancelled by. It hides what the task itself was asked until it is taken.
    void set_cancel_request(const Ref<CancelRequest>& request) noexcept;
    Ref<CancelRequest> take_cancel_request() noexcept;

    /// One step: the coroutine runs until it waits or ends.
    void step();
    static void step_node(ReadyNode& node) { static_cast<TaskBase&>(node).step(); }
    /// Queues the first step, or runs it at once.
    void start(const TaskOptions& options);
    /// The same without options, in a loop that runs.
    void start_plainly() noexcept;
    // Where the loop is destroyed before the task is done: reports it; destroys its frames.
    void report_abandoned() noexcept;
    void abandon() noexcept;
    void do_not_report_pending() noexcept { report_pending_ = false; }
    /// Its coroutine begins even if it is cancelled before that, and has to look at `cancel_is_due()` first.
    void begin_even_if_cancelled() noexcept { begins_cancelled_ = true; }

    Waiter* waiting_on() const noexcept { return is_over_ ? nullptr : waiter_; }
    /// Takes its node away from where it is.
    void leave_queues() noexcept;
    /// The frame of its own coroutine, or null if that is gone. Found from the innermost one.
    std::coroutine_handle<> root() const noexcept;
    bool is_started() const noexcept { return phase_ != Phase::not_begun; }
    /// Nothing of it, beside what a future has, needs a destructor: it is over, and nothing was given to it.
    bool is_plain() const noexcept {
        return is_over_ && traceback_ == nullptr && name_.is_number() && context_.is_empty();
    }
    /// Nobody has it any more who could ask.
    void forget_birthplace() noexcept {
        if (is_over_) name_.forget_birthplace();
    }
    void note_unwinding(const PromiseBase& frame, const std::exception_ptr& error) noexcept;

protected:
    explicit TaskBase(LoopCore& loop) noexcept;
    ~TaskBase() override;
    TaskBase(const TaskBase&) = delete;
    void set_root(std::coroutine_handle<> root) noexcept {
        PromiseBase::of(root).attach(this, nullptr);
        innermost_ = root;
    }
    void set_has_callable() noexcept { has_callable_ = true; }

    /// Destroys the callable and its arguments, where the task keeps them, after the coroutine has ended.
    virtual void drop_callable() noexcept {}
    virtual void drop_result() noexcept = 0;

private:
    friend struct InspectLayout;
    void cancel_wait(Waiter& waiter) noexcept;
    void conclude() noexcept;
    void finish_in_step() noexcept;
    void conclude_failed(std::coroutine_handle<> root) noexcept;
    void end_coroutine(std::coroutine_handle<> root) noexcept;
    void become_over(std::coroutine_handle<> root) noexcept;
    void conclude_as_cancelled(Ref<CancelRequest> request) noexcept;
    void join_loop() noexcept;
    void note_birthplace() noexcept;
    void leave_loop() noexcept;
    void destroy_frames() noexcept;
    void eager_start();
    void step_slowly();
    void step_in_shared_context();
    void run_step() noexcept;
    void run_frames() noexcept;
    void end_step();
    void leave_step();

    enum class Phase : std::uint8_t {
        not_begun,
        runs,
        blocked,  // the innermost frame waits: the step is over
        ended,    // the innermost frame is the outermost, too, and has nothing more to run
    };

    // Packed behind the node: a million parked tasks are a million of these. The phase is written in each step, and is
    // a byte of its own: to load a word after a byte of it was stored is slow.
    std::uint16_t cancels_requested_ = 0;
    bool must_cancel_ : 1 = false;  // CancelledError is thrown at the next step
    bool cancel_due_ : 1 = false;   // this step throws it, from the innermost await
    bool report_pending_ : 1 = true;
    bool begins_cancelled_ : 1 = false;
    bool has_callable_ : 1 = false;
    bool is_over_ : 1 = false;  // the coroutine has ended, and the unions hold the second of the two
    [[maybe_unused]] std::uint8_t free_bits_ : 2 = 0;
    Phase phase_ = Phase::not_begun;
    ContextSlot context_;
    TaskName name_;
    union {
        std::coroutine_handle<> innermost_ = nullptr;
        std::vector<FramePlace>* traceback_;  // owned; null where there is none
    };
    union {
        Waiter* waiter_ = nullptr;
        std::source_location function_;
    };
};

/// The children that run on this thread's stack inside each other, below the step that runs them: the address beyond
/// which the stack has no more room for them. That is for some sixteen, fewer where clang keeps big locals of a
/// coroutine on it. A step that has reached the limit runs no more of them so: returning from there costs more than it
/// saves.
struct NestedChildren {
    static constexpr std::uintptr_t most_bytes = 2048;
    static constexpr std::uintptr_t no_more = UINTPTR_MAX;
    void begin(void* frame) noexcept { stack_end = reinterpret_cast<std::uintptr_t>(frame) - most_bytes; }
    std::uintptr_t stack_end = no_more;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local NestedChildren nested_children;

inline bool CoroLink::run_child(TaskBase* task, std::coroutine_handle<> from) noexcept {
    parent = from;
    PromiseBase::of(child).attach(task, this);
    task->set_innermost(child);
    auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    if (NestedChildren& nested = nested_children; here < nested.stack_end) [[unlikely]] {
        nested.stack_end = NestedChildren::no_more;
        return true;
    }
    child.resume();
    return task->innermost() != from;
}

inline bool CoroLink::child_failed() const noexcept { return PromiseBase::of(child).has_failed(); }

inline std::exception_ptr CoroLink::end_child() noexcept {
    std::exception_ptr error = PromiseBase::of(child).take_error();
    destroy_child();
    return error;
}

template <class Promise>
void PromiseBase::FinalAwaiter::await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
    frame.promise().task()->end_frame(frame.promise());
}

/// The task that runs now in this loop, or null.
TaskBase* current_task_of(LoopCore& loop) noexcept;
/// The task whose step this node of the ready queue is, or null.
TaskBase* task_of_step(ReadyNode& node) noexcept;

}  // namespace detail
}  // namespace asyncio
