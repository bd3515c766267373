#pragma once

#include <asyncio/context/context.h>
#include <asyncio/core/as_coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/loop/clock.h>

#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio {

/// The keyword arguments of `run()` and `Runner`.
struct RunOptions {
    std::optional<bool> debug = {};               ///< none: what the environment's ASYNCIO_DEBUG says
    EventLoop (*loop_factory)() = nullptr;        ///< null: `new_event_loop()` with this clock
    ClockOption clock = {};                       ///< `VirtualClock{}` for tests
    OnDeadlock on_deadlock = OnDeadlock::report;  ///< not for a loop that `loop_factory` makes
};

/// The keyword arguments of `Runner::run()`.
struct RunnerRunOptions {
    ContextRef context = {};  ///< none: the runner's own, shared by all its runs
};

/// Runs several coroutines, one after the other, in one event loop, and cleans up at the end.
///
/// The loop is made when it is first needed. While `run()` runs in the main thread and Ctrl-C has its default action,
/// the first Ctrl-C cancels the main task and the second throws KeyboardInterrupt. Python: asyncio.Runner; `with
/// Runner() as runner:` is a Runner in a scope.
class Runner {
public:
    explicit Runner(RunOptions options);
    Runner() : Runner(RunOptions()) {}
    /// Closes it; what closing throws is reported to the log.
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Runs the coroutine and returns its result. KeyboardInterrupt if Ctrl-C ended it. Throws RuntimeError in a loop
    /// that runs, or when the runner is closed; then a coroutine given by `std::move` stays where it was.
    template <class T>
    T run(Coro<T>&& main, RunnerRunOptions options = {}) {
        check_can_run();
        get_loop();
        Task<T> task = start(std::move(main), options);
        run_until_done(task);
        return detail::slot_of<T>(*task.state_or_null()).take();
    }
    /// The same for another awaitable.
    template <Awaitable A>
    requires(!Coroutine<A>) auto run(A&& awaitable, RunnerRunOptions options = {}) {
        return run(detail::as_coroutine<A>(static_cast<A&&>(awaitable)), options);
    }
    template <class F>
    requires(!Awaitable<F>) void run(F&&, RunnerRunOptions = {}) { detail::refuse_call<F>(); }
    /// For the library, asyncio::run(): `run()` and then `close()`, whatever happens.
    template <class T>
    T run_and_close(Coro<T>&& main) {
        Task<T> task = start(std::move(main), {});
        run_to_the_end(task);
        return detail::slot_of<T>(*task.state_or_null()).take();
    }
    /// The loop, made now if it was not; it stays as long as the runner. Throws RuntimeError when the runner is closed.
    EventLoop& get_loop();
    /// Cancels what is left and waits for it, closes generators, joins the executor, closes the loop. Throws
    /// RuntimeError if it runs in a loop.
    void close();

private:
    template <class T>
    Task<T> start(Coro<T>&& main, RunnerRunOptions options) {
        EventLoop& loop = get_loop();
        return loop.create_task(std::move(main), {.context = options.context ? options.context : ContextRef(context_)});
    }
    static void check_can_run();
    void run_until_done(const AnyTask& main);
    void run_to_the_end(const AnyTask& main);

    RunOptions options_;
    Context context_;
    EventLoop* loop_ = nullptr;  // owned
    bool closed_ = false;
};

namespace detail {

void check_no_running_loop(const char* sentence);

}  // namespace detail
}  // namespace asyncio
