#pragma once

#include <asyncio/core/calls_with_options.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/core/executor_call.h>
#include <asyncio/core/future.h>
#include <asyncio/core/task.h>
#include <asyncio/detail/function.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/loop_options.h>
#include <asyncio/loop/seconds.h>

#include <concepts>
#include <optional>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

class NewTask;
/// What `set_exception_handler()` takes.
using ExceptionHandler = detail::Function<void(EventLoop&, const ExceptionContext&)>;
/// What `set_task_factory()` takes: starts the task, `return task.start(options)`, or another.
using TaskFactory = detail::Function<AnyTask(EventLoop&, NewTask, TaskOptions)>;

/// Runs callbacks and tasks, one at a time, in one thread. `run()` makes one for you.
///
/// One pass of the loop lets due timers and ready file descriptors join the ready queue, then runs exactly the
/// callbacks that are in it. While callbacks are ready, file descriptors are looked at once in a while only, after a
/// bounded number of callbacks or some microseconds. Callbacks due at the same instant run in the order they were
/// scheduled.
///
/// Not thread-safe but for `call_soon_threadsafe`; in debug mode the use from a wrong thread throws.
/// Python: asyncio.EventLoop.
class EventLoop : public detail::CallsWithOptions<EventLoop> {
public:
    explicit EventLoop(LoopOptions options);
    EventLoop() : EventLoop(LoopOptions()) {}
    /// Closes the loop. Tasks that are still pending are reported and destroyed.
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Runs until the future is done and returns its result. One more pass runs after that, as in Python. What is no
    /// future becomes a task. Throws RuntimeError where a loop runs or this one is closed; then a coroutine that was
    /// given by `std::move` stays where it was.
    template <class T>
    T run_until_complete(Coro<T>&& coro) {
        check_can_run();
        Task<T> task = create_task(std::move(coro));
        run_until_done(task, true);
        task.result();
        return detail::slot_of<T>(*task.state_or_null()).take();
    }
    template <class T>
    typename Future<T>::Reference run_until_complete(const Future<T>& future) {
        check_can_run();
        run_until_done(future, false);
        return future.result();
    }
    /// Of a handle that is given away the value is moved out.
    template <class T>
    T run_until_complete(Future<T>&& future) {
        check_can_run();
        run_until_done(future, false);
        future.result();
        return detail::slot_of<T>(*future.state_or_null()).take();
    }
    void run_until_complete(const AnyFuture& future);
    template <class A>
    requires detail::TaskAwaitable<A>
    auto run_until_complete(A&& awaitable) {
        return run_until_complete(detail::as_coroutine<std::decay_t<A>>(static_cast<A&&>(awaitable)));
    }
    template <class F>
    requires(!Awaitable<F> || Coroutine<F>) void run_until_complete(F&&) { detail::refuse_call<F>(); }
    /// Runs until `stop()`.
    void run_forever();
    /// Ends `run_forever()` after the current pass; before it, lets it make one pass.
    void stop() noexcept;
    bool is_running() const noexcept;  ///< whether its callbacks are being run now. Python: loop.is_running()
    bool is_closed() const noexcept;   ///< whether `close()` was called. Python: loop.is_closed()
    /// Drops what is queued. Throws RuntimeError while the loop runs; harmless when repeated.
    void close();

    using CallsWithOptions::call_at, CallsWithOptions::call_later, CallsWithOptions::call_soon,
        CallsWithOptions::call_soon_threadsafe, CallsWithOptions::create_task;
    /// The callback runs in the next pass, after all that are queued already, with copies of the arguments.
    template <detail::PlainCallback F>
    Handle call_soon(F&& callback, CallbackOptions options = {}) {
        return soon(new_handle(static_cast<F&&>(callback)), options.context);
    }
    template <class F, class First, class... Rest>
    requires detail::BoundCallback<F, First, Rest...> Handle call_soon(F&& callback, First&& first, Rest&&... rest) {
        return soon(
            new_handle(bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Rest&&>(rest)...)));
    }
    /// The same with options behind one argument or more, up to six. A callback that takes `CallbackOptions` itself
    /// behind its arguments gets them as one more: then `context` is set by a second one. One that takes whatever
    /// comes, by `...`, does not get them.
    template <class F, class First>
    requires(!detail::TakesOptions<F, First>) Handle call_soon(F&& callback, First&& first, CallbackOptions options) {
        return call_soon(bind(static_cast<F&&>(callback), static_cast<First&&>(first)), options);
    }
    template <class F, class First, class Second>
    requires(!detail::TakesOptions<F, First, Second>) Handle
        call_soon(F&& callback, First&& first, Second&& second, CallbackOptions options) {
        return call_soon(bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second)),
                         options);
    }
    /// The same from any thread or from inside the loop: wakes the loop if it sleeps.
    template <detail::PlainCallback F>
    Handle call_soon_threadsafe(F&& callback, CallbackOptions options = {}) {
        return soon_threadsafe(new_handle(static_cast<F&&>(callback)), options.context);
    }
    template <class F, class First, class... Rest>
    requires detail::BoundCallback<F, First, Rest...> Handle call_soon_threadsafe(F&& callback, First&& first,
                                                                                  Rest&&... rest) {
        return soon_threadsafe(
            new_handle(bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Rest&&>(rest)...)));
    }
    template <class F, class First>
    requires(!detail::TakesOptions<F, First>) Handle
        call_soon_threadsafe(F&& callback, First&& first, CallbackOptions options) {
        return call_soon_threadsafe(bind(static_cast<F&&>(callback), static_cast<First&&>(first)), options);
    }
    template <class F, class First, class Second>
    requires(!detail::TakesOptions<F, First, Second>) Handle
        call_soon_threadsafe(F&& callback, First&& first, Second&& second, CallbackOptions options) {
        return call_soon_threadsafe(
            bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second)), options);
    }
    /// The callback runs `delay` from now, a negative one like zero: in the next pass.
    template <detail::PlainCallback F>
    TimerHandle call_later(Seconds delay, F&& callback, CallbackOptions options = {}) {
        return at(time() + delay, new_timer(static_cast<F&&>(callback)), options.context);
    }
    template <class F, class First, class... Rest>
    requires detail::BoundCallback<F, First, Rest...> TimerHandle call_later(Seconds delay, F&& callback, First&& first,
                                                                             Rest&&... rest) {
        return at(time() + delay, new_timer(bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                                 static_cast<Rest&&>(rest)...)));
    }
    template <class F, class First>
    requires(!detail::TakesOptions<F, First>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, CallbackOptions options) {
        return call_later(delay, bind(static_cast<F&&>(callback), static_cast<First&&>(first)), options);
    }
    template <class F, class First, class Second>
    requires(!detail::TakesOptions<F, First, Second>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, Second&& second, CallbackOptions options) {
        return call_later(delay,
                          bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second)),
                          options);
    }
    /// The callback runs when the loop's clock has reached `when`.
    template <detail::PlainCallback F>
    TimerHandle call_at(TimePoint when, F&& callback, CallbackOptions options = {}) {
        return at(when, new_timer(static_cast<F&&>(callback)), options.context);
    }
    template <class F, class First, class... Rest>
    requires detail::BoundCallback<F, First, Rest...> TimerHandle call_at(TimePoint when, F&& callback, First&& first,
                                                                          Rest&&... rest) {
        return at(when, new_timer(bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                       static_cast<Rest&&>(rest)...)));
    }
    template <class F, class First>
    requires(!detail::TakesOptions<F, First>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, CallbackOptions options) {
        return call_at(when, bind(static_cast<F&&>(callback), static_cast<First&&>(first)), options);
    }
    template <class F, class First, class Second>
    requires(!detail::TakesOptions<F, First, Second>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, Second&& second, CallbackOptions options) {
        return call_at(when,
                       bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second)),
                       options);
    }
    /// What the loop's clock says now.
    TimePoint time() const noexcept;

    /// A future of this loop that has no result yet. Python: loop.create_future().
    template <class T = void>
    Future<T> create_future() {
        return Future<T>(detail::Ref<detail::FutureBase>(new detail::FutureState<T>(in_its_thread())));
    }
    /// As `create_task()`, on this loop, which need not run yet. Throws RuntimeError if it is closed; then a coroutine
    /// that was given by `std::move` stays where it was. Python: loop.create_task().
    template <class T>
    Task<T> create_task(Coro<T>&& coro) {
        return detail::create_task_on(*core_, std::move(coro));
    }
    template <class T>
    Task<T> create_task(Coro<T>&& coro, TaskOptions options) {
        return detail::create_task_on(*core_, std::move(coro), options);
    }
    template <class F, class... Args>
    requires CoroutineFunction<F, Args...>
    auto create_task(F&& function, Args&&... args) {
        return detail::create_callable_task_on(*core_, TaskOptions{}, static_cast<F&&>(function),
                                               static_cast<Args&&>(args)...);
    }
    template <class F>
    requires detail::PerhapsCoroutineFunction<F>
    auto create_task(F&& function, TaskOptions options) {
        return detail::create_callable_task_on(*core_, options, static_cast<F&&>(function));
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
    /// The factory starts every new task: `return task.start(options)`. None restores the default.
    void set_task_factory(TaskFactory factory);
    bool has_task_factory() const noexcept;  ///< whether one is set. Python: loop.get_task_factory() is not None

    /// Runs the call on a thread of `executor`, or of the default one (null), with copies of the arguments.
    /// Cancelling the future takes back a call that has not begun; one that runs ends unseen.
    template <class F, class... Args>
    auto run_in_executor(Executor* executor, F&& function, Args&&... args) {
        return detail::run_in_executor(*core_, executor, static_cast<F&&>(function), static_cast<Args&&>(args)...);
    }
    /// The default executor from now on, which must outlive the loop.
    void set_default_executor(Executor& executor);
    /// Waits until the default executor's threads have ended, at most for `timeout`, after which a warning is logged.
    /// New calls are refused from then on, also if this is cancelled.
    Coro<> shutdown_default_executor(std::optional<Seconds> timeout = std::nullopt);
    /// Closes the asynchronous generators that are still open. Cancelling is passed on to them.
    Coro<> shutdown_asyncgens();

    /// Calls the callback in every pass in which the descriptor can be read; one callback a descriptor.
    template <class F>
    void add_reader(int fd, F&& callback) {
        watch(fd, false, new_handle(static_cast<F&&>(callback)));
    }
    template <class F, class First, class... Rest>
    void add_reader(int fd, F&& callback, First&& first, Rest&&... rest) {
        add_reader(fd, bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Rest&&>(rest)...));
    }
    /// False if there was none. Throws RuntimeError if a transport has the descriptor. Python: loop.remove_reader().
    bool remove_reader(int fd);
    /// The same for writing.
    template <class F>
    void add_writer(int fd, F&& callback) {
        watch(fd, true, new_handle(static_cast<F&&>(callback)));
    }
    template <class F, class First, class... Rest>
    void add_writer(int fd, F&& callback, First&& first, Rest&&... rest) {
        add_writer(fd, bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Rest&&>(rest)...));
    }
    bool remove_writer(int fd);  ///< the same for writing. Python: loop.remove_writer()

    /// The callback runs in the loop, not in the signal handler, so it may do anything. Main thread only.
    template <class F>
    void add_signal_handler(int signum, F&& callback) {
        handle_signal(signum, new_handle(static_cast<F&&>(callback)));
    }
    template <class F, class First, class... Rest>
    void add_signal_handler(int signum, F&& callback, First&& first, Rest&&... rest) {
        add_signal_handler(signum,
                           bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Rest&&>(rest)...));
    }
    /// False if there was none. The signal does what it did before; what has arrived is still told. Throws ValueError
    /// for no signal. Python: loop.remove_signal_handler().
    bool remove_signal_handler(int signum);

    /// Who is told of exceptions that nobody else sees; none restores the default, which logs them.
    void set_exception_handler(ExceptionHandler handler);
    template <class F>
    requires detail::GivesCoroutine<F&, EventLoop&, const ExceptionContext&>
    void set_exception_handler(F&&) { detail::check_gives_no_coroutine<F&, EventLoop&, const ExceptionContext&>(); }
    template <class Method, class Object>
    requires std::is_member_function_pointer_v<Method>
    void set_exception_handler(Method method, Object&& object) {
        set_exception_handler(detail::bound_method(method, static_cast<Object&&>(object)));
    }
    bool has_exception_handler() const noexcept;  ///< whether one is set. Python: get_exception_handler() is not None
    /// Tells the handler, or the default. What it throws is logged, but KeyboardInterrupt and SystemExit, which come
    /// out. Python: loop.call_exception_handler().
    void call_exception_handler(const ExceptionContext& context);
    /// Logs it as an error, for a handler to call. Python: loop.default_exception_handler().
    void default_exception_handler(const ExceptionContext& context);

    bool get_debug() const noexcept;        ///< whether debug mode is on. Python: loop.get_debug()
    void set_debug(bool enabled) noexcept;  ///< from now on. Python: loop.set_debug()
    /// How it does its input and output.
    IoBackend& io_backend() const;

    /// In debug mode, a callback or a task's step that takes at least this long is logged.
    Seconds slow_callback_duration = 0.1;

    /// For the library.
    detail::LoopCore& core() noexcept { return *core_; }

private:
    friend CallsWithOptions;
    template <class F, class... Args>
    static auto bind(F&& function, Args&&... args) {
        static_assert(detail::Callback<F, Args...>,
                      "the loop calls f with copies of the arguments that it keeps: f must take them by value, & or "
                      "const&, and by & what cannot be copied. Of a method, &Class::f, all arguments have to be given, "
                      "or write a lambda");
        detail::check_can_keep<F, Args...>();
        detail::check_is_no_copy<F, Args...>();
        return detail::BoundCall<std::decay_t<F>, std::decay_t<Args>...>(static_cast<F&&>(function),
                                                                         static_cast<Args&&>(args)...);
    }
    // The caller owns what these give.
    template <class Base = detail::HandleBase, class F>
    Base& new_handle(F&& function) {
        static_assert(detail::Callback<F>,
                      "the loop calls a callback without arguments, or with those given after it: a method, &Class::f, "
                      "with its object");
        detail::check_can_keep<F>();
        detail::check_gives_no_coroutine<std::decay_t<F>&>();
        return *new detail::HandleOf<std::decay_t<F>, Base>(*core_, static_cast<F&&>(function));
    }
    template <class F>
    detail::TimedHandleBase& new_timer(F&& function) {
        return new_handle<detail::TimedHandleBase>(static_cast<F&&>(function));
    }
    // Each takes over the handle.
    Handle soon(detail::HandleBase& handle, ContextRef context = {}) {
        detail::call_soon(*core_, handle, context);
        return Handle(detail::Ref<detail::HandleBase>::adopt(&handle));
    }
    Handle soon_threadsafe(detail::HandleBase& handle, ContextRef context = {}) {
        detail::call_soon_threadsafe(*core_, handle, context);
        return Handle(detail::Ref<detail::HandleBase>::adopt(&handle));
    }
    TimerHandle at(TimePoint when, detail::TimedHandleBase& handle, ContextRef context = {});
    void watch(int fd, bool for_writing, detail::HandleBase& handle);
    void handle_signal(int signum, detail::HandleBase& handle);
    void check_can_run() const;
    detail::LoopCore& in_its_thread() const;  // in debug mode, from another thread: throws
    void run_until_done(const AnyFuture& future, bool own_task);

    detail::LoopCore* core_;
};

/// A task that a task factory has to start. Python: the arguments of `Task()` in a factory.
class NewTask {
public:
    explicit NewTask(detail::Ref<detail::TaskBase> task) noexcept : task_(std::move(task)) {}
    NewTask(NewTask&&) noexcept = default;  // not copied: a second start would be another's
    NewTask& operator=(NewTask&&) noexcept = default;
    /// Starts it as `options` say and returns it. Once only: then it throws RuntimeError.
    AnyTask start(const TaskOptions& options);

private:
    detail::Ref<detail::TaskBase> task_;
};

/// A task factory that starts every task at once, inside create_task(). Python: asyncio.eager_task_factory.
AnyTask eager_task_factory(EventLoop& loop, NewTask task, TaskOptions options);
/// The same around a constructor of your own. Python: asyncio.create_eager_task_factory.
TaskFactory create_eager_task_factory(TaskFactory custom_task_constructor);

/// The loop that runs in this thread; throws RuntimeError when none does. Python: asyncio.get_running_loop.
EventLoop& get_running_loop();
/// Python: asyncio.new_event_loop.
EventLoop new_event_loop();

/// `<EventLoop running=True closed=False debug=False>`
std::string repr(const EventLoop& loop);

}  // namespace asyncio
