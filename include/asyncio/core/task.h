#pragma once

#include <asyncio/core/as_coroutine.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/core/future.h>
#include <asyncio/core/held_temporaries.h>
#include <asyncio/core/task_base.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/detail/kept_arguments.h>

#include <concepts>
#include <cstdio>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

class AnyTask;

/// A task's coroutine, to be looked at. Tests false when the coroutine is over and its frame is gone.
/// Python: what `Task.get_coro()` returns.
class CoroutineView {
public:
    explicit CoroutineView(detail::Ref<detail::FutureBase> task) noexcept : task_(std::move(task)) {}
    explicit operator bool() const noexcept;
    std::string function() const;                      ///< its name
    std::source_location definition() const noexcept;  ///< where it is defined
    bool is_running() const noexcept;                  ///< it runs right now
    bool is_suspended() const noexcept;                ///< it has begun and waits
    std::string repr() const;                          ///< `<coroutine object f at 0x…>`

private:
    const detail::TaskBase& task() const noexcept;
    detail::Ref<detail::FutureBase> task_;
};

namespace detail {

TaskBase& running_task();  // throws RuntimeError when there is none
/// Throws RuntimeError for null, and in debug mode in another thread.
TaskBase& task_in_its_thread(FutureBase* state);
void print_stack(const TaskBase& task, std::optional<int> limit, std::FILE* file);

namespace bases {

/// What a task can do beyond a future, for `Task<T>` and `AnyTask` alike.
template <class Handle>
class TaskMethods {
public:
    /// `Task-1` and so on, if it was given none. Python: task.get_name().
    std::string get_name() const { return task().name(); }
    /// Its name from now on, which `repr()` shows. Python: task.set_name().
    void set_name(std::string_view name) const { task().set_name(name); }
    /// Its coroutine, to be looked at; false once that is over. Python: task.get_coro().
    CoroutineView get_coro() const { return CoroutineView(Ref<FutureBase>(&task())); }
    /// The context that it runs in. Python: task.get_context().
    Context get_context() const { return task().context(); }
    /// The number of requests to cancel that nobody took back yet; it stays at 65,535 when there are more.
    int cancelling() const { return task().cancelling(); }
    /// Takes one request back and returns how many are left. At zero a CancelledError not thrown yet is dropped.
    int uncancel() const { return task().uncancel(); }
    /// All frames from the task's coroutine to the innermost await, oldest first; for a failed task those that the
    /// exception passed through. `limit` keeps the newest frames of a stack, the oldest of a failure.
    std::vector<StackEntry> get_stack(std::optional<int> limit = std::nullopt) const { return task().stack(limit); }
    /// Prints what `get_stack()` gives, of a failed task as a traceback. Python: task.print_stack().
    void print_stack(std::optional<int> limit = std::nullopt, std::FILE* file = stderr) const {
        detail::print_stack(task(), limit, file);
    }

private:
    TaskBase& task() const { return task_in_its_thread(static_cast<const Handle*>(this)->state_or_null()); }
};

}  // namespace bases
using bases::TaskMethods;
}  // namespace detail

/// A coroutine that the loop runs, as a future of its result. Copies name the same task.
///
/// The loop keeps it alive until it is done; dropping the handle neither cancels nor frees it.
/// `co_await task` gives `const T&`; `co_await std::move(task)` and `co_await create_task(f())` move the value out.
///
/// Python: asyncio.Task.
template <class T = void>
class Task : public Future<T>, public detail::TaskMethods<Task<T>> {
public:
    Task() noexcept = default;
    explicit Task(detail::Ref<detail::FutureBase> state) noexcept : Future<T>(std::move(state)) {}

    /// As a future's: calls `callback(Task<T>)`. Python: task.add_done_callback().
    template <class Callback>
    CallbackId add_done_callback(Callback callback, CallbackOptions options = {}) const {
        return CallbackId{detail::add_done_callback<Task<T>>(this->state(), std::move(callback), options.context)};
    }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method> CallbackId add_done_callback(Method method, Object&& object,
                                                                                    CallbackOptions options = {})
    const { return add_done_callback(detail::bound_method(method, static_cast<Object&&>(object)), options); }
};

/// A task whatever its result type is; what `current_task()` and `all_tasks()` give. Python: asyncio.Task.
class AnyTask : public AnyFuture, public detail::TaskMethods<AnyTask> {
public:
    AnyTask() noexcept = default;
    template <class T>
    AnyTask(const Task<T>& task) noexcept : AnyFuture(task) {}
    explicit AnyTask(detail::Ref<detail::FutureBase> state) noexcept : AnyFuture(std::move(state)) {}

    /// The same task with its type; throws TypeError if its result is of another type.
    template <class T>
    Task<T> as() const {
        require_type(typeid(T));
        return Task<T>(state_or_throw());
    }
    /// As a future's: calls `callback(AnyTask)`. Python: task.add_done_callback().
    template <class Callback>
    CallbackId add_done_callback(Callback callback, CallbackOptions options = {}) const {
        return CallbackId{detail::add_done_callback<AnyTask>(state(), std::move(callback), options.context)};
    }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method> CallbackId add_done_callback(Method method, Object&& object,
                                                                                    CallbackOptions options = {})
    const { return add_done_callback(detail::bound_method(method, static_cast<Object&&>(object)), options); }
};

namespace detail {

/// Nothing more is kept in the task's allocation. (`is_plain`: by the time that the task can die nothing is left in it
/// that a destructor would have to deal with.)
struct NoExtra {
    static constexpr bool is_plain = true;
};

/// A task of a known type. `Extra` is what a maker (a TaskGroup, say) wants to keep beside it.
template <class T, class Extra = NoExtra>
class TaskState : public ResultState<T, TaskBase> {
public:
    TaskState(LoopCore& loop, Coro<T>&& coro) : ResultState<T, TaskBase>(loop) {
        constexpr std::size_t granules = granules_of(sizeof(TaskState));
        constexpr bool is_plain = Extra::is_plain && (std::is_void_v<T> || std::is_trivially_destructible_v<T>);
        if constexpr (is_plain && sizeof(TaskState) <= pool_largest) this->plain_granules_ = granules;
        adopt(std::move(coro));
    }
    Extra& extra() noexcept { return extra_; }

protected:
    explicit TaskState(LoopCore& loop) : ResultState<T, TaskBase>(loop) {}
    void adopt(Coro<T>&& coro) {
        std::coroutine_handle<Promise<T>> root = coro.release();
        if (!root) throw_coroutine_reused();
        root.promise().set_slot(&this->slot());
        this->set_root(root);
    }
    void drop_result() noexcept override { this->slot().reset(); }

private:
    [[no_unique_address]] Extra extra_;
};

/// A task that also keeps the callable that made its coroutine, with its arguments (a tuple), until the coroutine has
/// ended.
template <class T, class Extra, class Function, class Arguments>
class CallableTaskState final : public TaskState<T, Extra> {
public:
    template <class F, class... A>
    CallableTaskState(LoopCore& loop, F&& function, A&&... args) : TaskState<T, Extra>(loop) {
        kept_.emplace(static_cast<F&&>(function), Arguments(static_cast<A&&>(args)...));
        this->set_has_callable();
        this->adopt(
            std::apply([this](auto&... values) { return invoke(kept_->first, std::move(values)...); }, kept_->second));
    }

private:
    void drop_callable() noexcept override { kept_.reset(); }
    std::optional<std::pair<Function, Arguments>> kept_;
};

/// The same, with what the call makes of the arguments.
template <class T, class Extra, class Function, class Arguments>
class ConvertingTaskState final : public TaskState<T, Extra> {
public:
    template <class F, class... A>
    ConvertingTaskState(LoopCore& loop, F&& function, A&&... args) : TaskState<T, Extra>(loop) {
        kept_.emplace(static_cast<F&&>(function), Arguments(static_cast<A&&>(args)...));
        this->set_has_callable();
        Coro<T> coro;
        auto prepare = [&](auto&... values) { return call_and_stay(coro, kept_->first, values...); };
        temporaries_ = std::apply(prepare, kept_->second);
        temporaries_.call();
        this->adopt(std::move(coro));
    }

private:
    void drop_callable() noexcept override {
        temporaries_.drop();
        kept_.reset();
    }
    std::optional<std::pair<Function, Arguments>> kept_;
    HeldTemporaries temporaries_;
};

void start_task(TaskBase& task);
void start_task(TaskBase& task, const TaskOptions& options);

template <class Function, class... Args>
using CoroOf = decltype(invoke(std::declval<Function&>(), std::declval<Args&&>()...));

template <class F>
constexpr bool is_no_coroutine() {
    static_assert(!Coroutine<F> || !std::is_lvalue_reference_v<F>,
                  "a coroutine is run once: hand it over, as by create_task(std::move(coro))");
    static_assert(!Coroutine<F> || std::is_lvalue_reference_v<F>,
                  "behind a coroutine stand the task's options, in braces: create_task(f(x), {.name = \"f\"})");
    return true;
}
template <class Extra, class T>
Ref<TaskState<T, Extra>> new_task(LoopCore& loop, Coro<T>&& coro) {
    return Ref<TaskState<T, Extra>>(new TaskState<T, Extra>(loop, std::move(coro)));
}
template <class Extra, class F, class... A>
auto new_callable_task(LoopCore& loop, F&& function, A&&... args) {
    static_assert(is_no_coroutine<F>() && is_no_number<F>());
    check_can_keep<F, A...>();
    using Function = std::decay_t<F>;
    using T = typename CoroOf<Function, std::decay_t<A>...>::value_type;
    using Arguments = kept_arguments_t<Function, std::decay_t<A>...>;
    using State = std::conditional_t<may_make_temporaries<Function, std::decay_t<A>...>,
                                     ConvertingTaskState<T, Extra, Function, Arguments>,
                                     CallableTaskState<T, Extra, Function, Arguments>>;
    return Ref<TaskState<T, Extra>>(new State(loop, static_cast<F&&>(function), static_cast<A&&>(args)...));
}

}  // namespace detail

/// A callable that, called with these arguments, returns a `Coro`.
template <class F, class... Args>
concept CoroutineFunction = requires(std::decay_t<F>& function, std::decay_t<Args>&&... args) {
    { detail::invoke(function, static_cast<std::decay_t<Args>&&>(args)...) } -> Coroutine;
};

namespace detail {

/// What stands before options. It is not called to find that out: g++ 12 asks this also where something else than
/// options follows, and a generic lambda that wants that would be compiled without it.
template <class F>
concept PerhapsCoroutineFunction = (!Awaitable<F> ||
                                    Coroutine<F>)&&(std::is_class_v<std::remove_cvref_t<F>> ||
                                                    std::is_arithmetic_v<std::remove_cvref_t<F>> ||
                                                    std::is_member_function_pointer_v<std::remove_cvref_t<F>> ||
                                                    std::is_function_v<std::remove_pointer_t<std::decay_t<F>>>);

/// What nothing that makes a task can take.
template <class F, class... Args>
concept NoTask = !TaskAwaitable<F> && !CoroutineFunction<F, Args...> &&
                 !(std::is_same_v<std::remove_cvref_t<Args>, TaskOptions> || ...);
template <class F>
concept RunsAlready = std::is_base_of_v<AnyFuture, std::remove_cvref_t<F>>;
template <class F>
constexpr bool runs_not_yet() {
    static_assert(!RunsAlready<F>,
                  "a coroutine was expected, and this is a future: what gather(), shield() and create_task() give runs "
                  "already, so keep it, and await it");
    return true;
}
template <class F>
void refuse_task() {
    static_assert(is_no_coroutine<F>() && is_no_number<F>() && runs_not_yet<F>() && never<F>,
                  "create_task(f, args...) copies the arguments and gives the copies to f as rvalues: f must take them "
                  "by value, const& or && (a reference: std::ref), and return a Coro");
}

/// What takes no function, but what it gives.
template <class F>
void refuse_call() {
    static_assert(is_no_coroutine<F>() && is_no_number<F>() && never<F>,
                  "a coroutine, a future, a task or another awaitable object is wanted here: what a call gives, f(), "
                  "not f");
}

/// Without options that saves making them, and looking at them.
template <class T, std::same_as<TaskOptions>... Options>
Task<T> create_task_in_running(LoopCore& loop, Coro<T>&& coro, const Options&... options) {
    auto state = new_task<NoExtra>(loop, std::move(coro));
    start_task(*state, options...);
    return Task<T>(std::move(state));
}
template <class T, std::same_as<TaskOptions>... Options>
Task<T> create_task_on(LoopCore& loop, Coro<T>&& coro, const Options&... options) {
    check_open(loop);
    return create_task_in_running(loop, std::move(coro), options...);
}
template <class F, class... Args>
auto create_callable_task_on(LoopCore& loop, const TaskOptions& options, F&& function, Args&&... args) {
    check_open(loop);
    auto state = new_callable_task<NoExtra>(loop, static_cast<F&&>(function), static_cast<Args&&>(args)...);
    start_task(*state, options);
    return Task<typename CoroOf<std::decay_t<F>, std::decay_t<Args>...>::value_type>(std::move(state));
}

}  // namespace detail

/// Runs the coroutine as a task of its own; its first step is in the loop's next pass.
///
/// The task begins with a copy of the current context. Throws RuntimeError when no loop runs; then a coroutine that was
/// given by `std::move` stays where it was. Python: asyncio.create_task.
template <class T>
Task<T> create_task(Coro<T>&& coro) {
    return detail::create_task_in_running(detail::running_core(), std::move(coro));
}
template <class T>
Task<T> create_task(Coro<T>&& coro, TaskOptions options) {
    return detail::create_task_in_running(detail::running_core(), std::move(coro), options);
}
/// The same for a callable that returns the coroutine: the task keeps copies of the callable and its arguments until
/// the coroutine has ended, so a lambda's captures live as long as they are used. Options behind the arguments, up to
/// six, are the task's, also if the callable could take them: give it some of its own before those.
template <class F, class... Args>
requires CoroutineFunction<F, Args...>
auto create_task(F&& function, Args&&... args) {
    return detail::create_callable_task_on(detail::running_core(), TaskOptions{}, static_cast<F&&>(function),
                                           static_cast<Args&&>(args)...);
}
template <class F>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function));
}
// Options in braces can stand behind so many arguments as there are functions for: no pack comes before the last one.
template <class F, class First>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first));
}
template <class F, class First, class Second>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, Second&& second, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first), static_cast<Second&&>(second));
}
template <class F, class First, class Second, class Third>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, Second&& second, Third&& third, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first), static_cast<Second&&>(second),
                                           static_cast<Third&&>(third));
}
template <class F, class First, class Second, class Third, class Fourth>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first), static_cast<Second&&>(second),
                                           static_cast<Third&&>(third), static_cast<Fourth&&>(fourth));
}
template <class F, class First, class Second, class Third, class Fourth, class Fifth>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                 TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first), static_cast<Second&&>(second),
                                           static_cast<Third&&>(third), static_cast<Fourth&&>(fourth),
                                           static_cast<Fifth&&>(fifth));
}
template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
requires detail::PerhapsCoroutineFunction<F>
auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                 Sixth&& sixth, TaskOptions options) {
    return detail::create_callable_task_on(detail::running_core(), options, static_cast<F&&>(function),
                                           static_cast<First&&>(first), static_cast<Second&&>(second),
                                           static_cast<Third&&>(third), static_cast<Fourth&&>(fourth),
                                           static_cast<Fifth&&>(fifth), static_cast<Sixth&&>(sixth));
}

/// The same for what is no `Coro` but waits like one, as `sleep(1s)` does.
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

/// The task that runs now, or an empty handle, as in a plain callback. Throws RuntimeError when no loop runs.
/// Python: asyncio.current_task.
AnyTask current_task();
AnyTask current_task(EventLoop& loop);
/// The loop's unfinished tasks, in order of creation. Not from another thread: ask through run_coroutine_threadsafe().
/// Python: asyncio.all_tasks.
std::vector<AnyTask> all_tasks();
std::vector<AnyTask> all_tasks(EventLoop& loop);

/// `<Task pending name='Task-1' coro=<f() running at f.cpp:3> wait_for=<Future pending>>`, as Python prints it.
std::string repr(const AnyTask& task);

}  // namespace asyncio
