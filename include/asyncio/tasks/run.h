#pragma once

#include <asyncio/core/as_coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/runner.h>

#include <utility>

namespace asyncio {

/// Runs the coroutine in an event loop of its own and returns its result; cleans up before it does.
///
/// At the end it cancels all tasks that are left and waits for them, closes asynchronous generators, joins the default
/// executor's threads and closes the loop. Ctrl-C cancels the main task, then throws KeyboardInterrupt.
/// Throws RuntimeError when a loop runs in this thread; then a coroutine that was given by `std::move` stays where it
/// was. Python: asyncio.run.
template <class T>
T run(Coro<T>&& main, RunOptions options = {}) {
    detail::check_no_running_loop("asyncio.run() cannot be called from a running event loop");
    Runner runner(options);
    return runner.run_and_close(std::move(main));
}

/// The same for another awaitable.
template <Awaitable A>
requires(!Coroutine<A>) auto run(A&& awaitable, RunOptions options = {}) {
    return run(detail::as_coroutine<A>(static_cast<A&&>(awaitable)), options);
}

template <class F>
requires(!Awaitable<F>) void run(F&&, RunOptions = {}) {
    static_assert(detail::is_no_number<F>() && detail::never<F>,
                  "run() takes the coroutine that a call gives: run(f()), not run(f)");
}

/// `run()` for `int main()`: nothing leaves it, and what it returns is the program's status.
///
/// That is what the coroutine returns, or 0; the code of a `SystemExit`; 130 after Ctrl-C, by a `KeyboardInterrupt`;
/// and 1 after any other exception. What is printed to standard error is what Python would print: the traceback, but
/// nothing for a SystemExit. What is thrown before the call, by the arguments of the coroutine or an object that it
/// uses, is not caught: make it inside the coroutine. Python: `asyncio.run(main())` as the last line of a script.
///
/// ```cpp
/// int main() { return asyncio::run_main(amain()); }
/// ```
int run_main(Coro<>&& main, RunOptions options = {}) noexcept;
/// The same for a coroutine that gives the status itself.
int run_main(Coro<int>&& main, RunOptions options = {}) noexcept;
template <class F>
requires(!Coroutine<F>) int run_main(F&&, RunOptions = {}) {
    static_assert(detail::is_no_number<F>() && detail::never<F>,
                  "run_main() takes a Coro<> or a Coro<int>: run_main(amain()), not run_main(amain)");
    return 1;
}

}  // namespace asyncio
