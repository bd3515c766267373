#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/ref.h>

#include <concepts>
#include <coroutine>
#include <exception>
#include <source_location>
#include <string>
#include <utility>

namespace asyncio {

class TaskGroup;

namespace detail {

struct GroupMembers;  // the tag of a group's lists of members

/// A task's membership in a group, in the task's own allocation: a node of the group's lists, and the callback that
/// tells the group of the task's end.
class GroupMember : public ReadyNode, public ListHook<GroupMembers> {
public:
    GroupMember() noexcept : ReadyNode(&GroupMember::task_is_done) {}
    static constexpr bool is_plain = true;
    /// Whose group it is that this callback of a task will tell of its end; null for any other callback.
    static TaskBase* parent_told_by(const ReadyNode& node) noexcept;

private:
    friend struct InspectLayout;
    friend asyncio::TaskGroup;
    friend class ChildrenDone;
    static void task_is_done(ReadyNode& node);
    void forget() noexcept;  // may destroy the task, and so this

    TaskGroup* group_ = nullptr;
    Ref<TaskBase> task_;  // itself, until the group has been told; or, if it failed, has ended
};

/// The parent's wait for the end of the group's tasks.
class [[nodiscard]] [[gnu::warn_unused]] ChildrenDone final : public Waiter {
public:
    explicit ChildrenDone(TaskGroup& group) noexcept : Waiter(WaitKind::group, &group_), group_(&group) {}
    void tell(WaitStory& story) const override;
    ~ChildrenDone();
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        wait(*frame.promise().task(), frame);
    }
    void await_resume() noexcept;

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame) noexcept;
    TaskGroup* group_;
};

class [[nodiscard]] [[gnu::warn_unused]] AllChildren : public NativeAwaitable {
public:
    explicit AllChildren(TaskGroup& group) noexcept : group_(group) {}
    ChildrenDone operator co_await() const noexcept { return ChildrenDone(group_); }

private:
    TaskGroup& group_;
};

}  // namespace detail

/// A block that owns the tasks started in it: leaving it waits for all of them, and if one fails the others are
/// cancelled.
///
/// Entered by `with(TaskGroup{}, body)`, once, inside a task. When the body or a task of the group throws anything but
/// CancelledError, the tasks that are left and the body are cancelled, once each; when all have ended, an
/// ExceptionGroup of the errors comes out, in the order in which they happened, the body's last; a BaseExceptionGroup
/// if one of them is no ordinary error; KeyboardInterrupt and SystemExit come out bare. A task that ends cancelled is
/// no error. Cancelling the task that is in the block cancels the group's tasks; CancelledError comes out once they
/// have ended, or the group of their errors, and then the request is raised again at the next await.
///
/// ```cpp
/// co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) {
///     for (auto& url : urls) group.create_task(fetch(url));
/// });
/// ```
/// Python: asyncio.TaskGroup, with 3.15's `cancel()`.
class TaskGroup {
public:
    TaskGroup() noexcept;
    /// Only before it is entered; RuntimeError after.
    TaskGroup(TaskGroup&& other);  // NOLINT(performance-noexcept-move-constructor)
    TaskGroup& operator=(TaskGroup&&) = delete;
    /// Lets go of tasks that are left, if it was entered by hand and dropped: they run on.
    ~TaskGroup();

    /// Starts a task that the group waits for. Until the block is left, and also by its tasks while it is being left.
    ///
    /// Throws RuntimeError, and closes the coroutine, when the group was not entered yet, has ended, or is cancelling
    /// its tasks. Python: TaskGroup.create_task.
    template <class T>
    Task<T> create_task(Coro<T>&& coro) {
        return create_coroutine_task(std::move(coro));
    }
    template <class T>
    Task<T> create_task(Coro<T>&& coro, TaskOptions options) {
        return create_coroutine_task(std::move(coro), options);
    }
    /// The same for a callable that returns the coroutine: the task keeps it and its arguments as long as they are
    /// used. Options at the end are the task's, also if the callable could take them.
    template <class F, class... Args>
    requires CoroutineFunction<F, Args...>
    auto create_task(F&& function, Args&&... args) {
        return create_callable_task(TaskOptions{}, static_cast<F&&>(function), static_cast<Args&&>(args)...);
    }
    template <class F>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function));
    }
    template <class F, class First>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first));
    }
    template <class F, class First, class Second>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first),
                                    static_cast<Second&&>(second));
    }
    template <class F, class First, class Second, class Third>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first),
                                    static_cast<Second&&>(second), static_cast<Third&&>(third));
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                     TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first),
                                    static_cast<Second&&>(second), static_cast<Third&&>(third),
                                    static_cast<Fourth&&>(fourth));
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                     TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first),
                                    static_cast<Second&&>(second), static_cast<Third&&>(third),
                                    static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth));
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                     Sixth&& sixth, TaskOptions options) {
        return create_callable_task(options, static_cast<F&&>(function), static_cast<First&&>(first),
                                    static_cast<Second&&>(second), static_cast<Third&&>(third),
                                    static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                                    static_cast<Sixth&&>(sixth));
    }

    template <class A>
    requires detail::TaskAwaitable<A>
    auto create_task(A&& awaitable, TaskOptions options = {}) {
        return create_task(detail::as_coroutine<std::decay_t<A>>(static_cast<A&&>(awaitable)), options);
    }
    template <class F, class... Args>
    requires detail::NoTask<F, Args...>
    void create_task(F&&, Args&&...) { detail::refuse_task<F>(); }
    template <class F>
    requires detail::RunsAlready<F>
    void create_task(F&&, TaskOptions) { detail::refuse_task<F>(); }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires detail::PerhapsCoroutineFunction<F>
    void create_task(F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, TaskOptions) {
        detail::refuse_options<F>();
    }

    /// Cancels the group's tasks and what is left of the body, and ends the block without an error.
    ///
    /// From the body, a task of the group, or outside. The tasks are asked once to end; a body that is still running
    /// sees CancelledError at its next await, which the block takes back. Errors of tasks that end in other ways come
    /// out as ever, and so does a cancellation that somebody else asked for. No task can be added from now on. Before
    /// the group is entered: takes effect on entry. While the group is cancelling its tasks already, or has ended:
    /// nothing. Python: TaskGroup.cancel, new in 3.15.
    void cancel(std::source_location where = std::source_location::current());

    /// Begins the block, in the task that runs. Throws RuntimeError when it was entered before or no task runs.
    TaskGroup& aenter();
    /// Ends it, in the same task: waits for the tasks and throws what is to come out. True: `error` is dealt with.
    Coro<bool> aexit(std::exception_ptr error);

    /// For the library: aexit() in steps, none of which throws or needs memory, since the tasks use what is the
    /// parent's. While `has_tasks()`, `wait()` is to be awaited between the first and the last, which gives what is to
    /// come out, or null.
    void begin_leaving(const std::exception_ptr& error) noexcept;
    /// For the library.
    bool has_tasks() const noexcept { return !members_.empty(); }
    /// For the library.
    detail::AllChildren wait() noexcept { return detail::AllChildren(*this); }
    /// For the library.
    std::exception_ptr finish_leaving(const std::exception_ptr& error) noexcept;

    /// `<TaskGroup tasks=2 errors=1 cancelling>`, as Python prints it.
    friend std::string repr(const TaskGroup& group);

private:
    friend detail::InspectLayout;
    friend detail::GroupMember;
    friend detail::ChildrenDone;

    /// Without options that saves making them, and looking at them.
    template <class T, std::same_as<TaskOptions>... Options>
    Task<T> create_coroutine_task(Coro<T>&& coro, const Options&... options) {
        if (!accepts()) [[unlikely]] {
            coro.close();
            throw_refused();
        }
        detail::check_open(*loop_);
        auto state = detail::new_task<detail::GroupMember>(*loop_, std::move(coro));
        start(*state, state->extra(), options...);
        return Task<T>(std::move(state));
    }
    template <class F, class... Args>
    auto create_callable_task(const TaskOptions& options, F&& function, Args&&... args) {
        if (!accepts()) [[unlikely]]
            throw_refused();
        detail::check_open(*loop_);
        auto state = detail::new_callable_task<detail::GroupMember>(*loop_, static_cast<F&&>(function),
                                                                    static_cast<Args&&>(args)...);
        start(*state, state->extra(), options);
        return Task<typename detail::CoroOf<std::decay_t<F>, std::decay_t<Args>...>::value_type>(std::move(state));
    }
    bool accepts() const noexcept { return entered_ && !aborting_ && (!exiting_ || !members_.empty()); }
    [[noreturn]] void throw_refused() const;
    void start(detail::TaskBase& task, detail::GroupMember& member);
    void start(detail::TaskBase& task, detail::GroupMember& member, const TaskOptions& options);
    void child_is_done(detail::GroupMember& member, detail::TaskBase& child);
    void child_has_failed(detail::GroupMember& member, detail::TaskBase& child);
    void wait_was_cancelled(detail::Ref<detail::CancelRequest> request) noexcept;
    void abort(const detail::Ref<detail::CancelRequest>& request) noexcept;
    void cancel_task(detail::TaskBase& task, const detail::Ref<detail::CancelRequest>& request) noexcept;
    std::exception_ptr outcome(const std::exception_ptr& error) noexcept;
    std::exception_ptr group_of_errors(const std::exception_ptr& last);

    detail::LoopCore* loop_ = nullptr;
    detail::Ref<detail::TaskBase> parent_;  // the task that entered it, until it has left
    detail::IntrusiveList<detail::GroupMember, detail::GroupMembers> members_;  // whose end it was not told of yet
    detail::IntrusiveList<detail::GroupMember, detail::GroupMembers> failed_;   // in the order in which they did
    std::exception_ptr base_error_;           // the first KeyboardInterrupt or SystemExit
    std::exception_ptr cancellation_;         // the CancelledError that is to come out if there are no errors
    std::exception_ptr absorbed_;             // the last one seen while the group was cancelling its tasks anyway
    detail::ChildrenDone* waiter_ = nullptr;  // the parent's wait at the end
    bool entered_ = false;
    bool exiting_ = false;                  // the body has ended
    bool aborting_ = false;                 // the tasks have been cancelled; once only
    bool parent_cancel_requested_ = false;  // by the group itself, so the group takes it back
    bool cancel_on_enter_ = false;
};

std::string repr(const TaskGroup& group);

}  // namespace asyncio
