#pragma once

#include <asyncio/core/awaitable.h>
#include <asyncio/core/task_base.h>
#include <asyncio/detail/ref.h>
#include <asyncio/errors/exceptions.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace asyncio {

/// The kinds of thing that a suspended task can wait for. New here.
enum class WaitKind : std::uint8_t {
    nothing,    ///< it is ready to run
    future,     ///< a Future
    task,       ///< a Task
    gathering,  ///< what gather() returned
    sleep,      ///< a moment on the loop's clock
    group,      ///< the tasks of a TaskGroup
    several,    ///< the futures of a wait() or as_completed()
    lock,
    event,
    condition,
    semaphore,
    barrier,
    queue,
    server,  ///< the end of a Server, or of its connections
    file_descriptor,
    process,  ///< the end of a child, which `fd` numbers
    thread,   ///< a call on another thread
    foreign,  ///< an awaitable of another library
};

/// What a suspended task waits for: the kind, and the object (a Lock, a future's state ...) or the file descriptor
/// where there is one. New here.
struct WaitEdge {
    WaitKind kind = WaitKind::nothing;
    const void* subject = nullptr;
    int fd = -1;
};

namespace detail {

struct WaitStory;
struct InspectLayout;  // knows where what lies, for who looks from outside

/// An object that waits for futures on behalf of others: what stands between a task that waits and what it waits for.
/// The subject of a WaitEdge of kind `several`; what gather() and shield() return has one too (by dynamic_cast).
class AwaitsFutures {
public:
    virtual std::size_t count_awaited() const noexcept = 0;
    /// Null for one that is done and has had its turn.
    virtual FutureBase* awaited(std::size_t index) const noexcept = 0;

protected:
    ~AwaitsFutures() = default;
};

/// One wait of one task, inside the frame that waits: what every leaf that can be awaited is made of.
///
/// It stands for the private future on which CPython lets the task wait, and behaves as that future would: it is
/// pending, then either woken or cancelled, and the task goes on one pass after that. Whoever derives from it parks the
/// task's node or itself somewhere in `await_suspend`, calls `wake()` when the wait is over, and calls `check()` first
/// in `await_resume`. Waiting and waking allocate nothing.
class Waiter : public NativeAwaitable {
public:
    struct Layout;  // for InspectLayout: a friend would make the destructor accessible
    /// What Task::cancel() asks. False: too late, the wait is over already.
    virtual bool cancel(const Ref<CancelRequest>& request);
    /// What is waited for. It is read from the object's own bytes: whoever has those, a debugger or a core file's
    /// reader, knows as much.
    WaitEdge edge() const noexcept;
    /// The same for people, with all that is known here; in the loop's thread.
    virtual void tell(WaitStory& story) const;
    /// The task that is awaited, for a wait on a task. Lets cancel() follow a long chain without recursion.
    virtual TaskBase* awaited_task() const noexcept { return nullptr; }
    /// Whether what it waited for ended by a CancelledError.
    virtual bool ended_cancelled() const noexcept { return state_ == State::cancelled; }

    /// Ends the wait: the task goes on in the loop's next pass. Nothing if it is over already.
    void wake() noexcept;
    TaskBase* task() const noexcept { return task_; }
    bool is_pending() const noexcept { return state_ == State::pending; }
    bool is_woken() const noexcept { return state_ == State::woken; }
    bool is_cancelled() const noexcept { return state_ == State::cancelled; }

    /// That of the task whose node this is.
    static Waiter& of(ReadyNode& node) noexcept { return *static_cast<TaskBase&>(node).waiting_on(); }
    /// What that node calls for a wait whose `turn()` has come.
    static void run_turn(ReadyNode& node) { of(node).turn(); }

protected:
    enum class State : std::uint8_t { pending, woken, cancelled, not_begun };
    /// What is done with a descriptor, for who looks from outside.
    enum class Doing : std::uint8_t { something, reading, writing, closing };
    /// What is called in the place of the task's step when the wait is over: the step, or `turn()`.
    enum class GoesOn : bool { at_once, in_turn };

    /// `subject` is where the object that derives from this keeps its pointer to what is waited for (a `T*`, a
    /// `Ref<T>`); null if there is none.
    explicit Waiter(WaitKind kind, const void* subject = nullptr, GoesOn goes_on = GoesOn::at_once) noexcept
        : goes_on_(goes_on),
          kind_(kind),
          doing_(Doing::something),
          subject_at_(subject != nullptr ? words_to(subject) : 0) {}
    ~Waiter() = default;
    /// From now on it waits for something else.
    void set_edge(WaitKind kind, const void* subject) noexcept {
        kind_ = kind;
        subject_at_ = words_to(subject);
    }
    /// The subject is itself a part of the object that derives from this.
    void set_subject_inside(const void* subject) noexcept {
        subject_at_ = static_cast<std::uint8_t>(words_to(subject) | is_inside);
    }
    /// The descriptor, of a wait of that kind.
    void set_fd(int fd) noexcept { fd_ = fd; }
    void set_doing(Doing doing) noexcept { doing_ = doing; }
    int fd() const noexcept { return fd_; }

    /// Makes this what the task waits for. To be called last in `await_suspend`.
    void suspend(TaskBase& task, std::coroutine_handle<> frame) noexcept {
        task_ = &task;
        task.block_on(*this, frame);
    }
    /// The same; `run` is what the task's node calls, where it is parked, instead of the task's step.
    void suspend(TaskBase& task, std::coroutine_handle<> frame, ReadyNode::Run run) noexcept {
        task.set_run(run);
        suspend(task, frame);
    }
    /// Throws CancelledError if the wait or the task was cancelled. To be called first in `await_resume`. Throws from
    /// there, not from a function of its own: each frame that is unwound costs half a microsecond.
    [[gnu::always_inline]] void check() {
        if (was_cancelled()) [[unlikely]]
            throw CancelledError(take_cancel_request());
    }
    bool was_cancelled() const noexcept {
        return state_ == State::cancelled || (task_ != nullptr && task_->cancel_is_due());
    }
    /// By what the wait or the task was cancelled; taken from the task.
    Ref<CancelRequest> take_cancel_request() noexcept;
    /// Called when the wait was cancelled, still inside cancel(): leaves where it was parked. The task's node has left.
    virtual void on_cancel() noexcept {}

    /// For a wait that has something to do when its turn has come, and may have to wait again: wakes it so that
    /// `turn()` is called in the pass and the place of the task's step. That ends by `wait_again()` or by
    /// `step_task()`.
    void wake_for_turn() noexcept;
    void wait_again() noexcept { state_ = State::pending; }
    void step_task() {
        task_->set_run(&TaskBase::step_node);
        task_->step();
    }
    virtual void turn() { step_task(); }

    TaskBase* task_ = nullptr;
    State state_ = State::pending;
    std::uint8_t free_byte_ = 0;  // for whoever derives from it

private:
    static constexpr std::uint8_t is_inside = 0x80;
    std::uint8_t words_to(const void* member) const noexcept {
        auto bytes = static_cast<const char*>(member) - reinterpret_cast<const char*>(this);
        return static_cast<std::uint8_t>(static_cast<std::size_t>(bytes) / sizeof(void*));
    }
    const void* subject() const noexcept;
    void go_on() noexcept;

    GoesOn goes_on_ : 1;
    WaitKind kind_ : 5;
    Doing doing_ : 2;
    std::uint8_t subject_at_;  // words from here to the pointer; with `is_inside` to the subject itself; 0: none
    int fd_ = 0;
};

}  // namespace detail
}  // namespace asyncio
