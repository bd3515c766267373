// Programs about coroutines, tasks, futures, callbacks, contexts and generators.
#include <asyncio/asyncio.h>

#include <unistd.h>

#include <coroutine>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const char* const long_text = "a text that is too long for the room inside a string";

Coro<int> number(int value) {
    co_await sleep(1ms);
    co_return value;
}

Coro<> fail_soon() {
    co_await sleep(1ms);
    throw ValueError("expected");
}

Coro<> tasks() {
    auto named = create_task(number(1), {.name = long_text});
    auto called = create_task(number, 2);
    named.add_done_callback([](const Task<int>&) {});
    int sum = co_await named;
    int more = co_await called;
    sum += more;
    expect(sum == 3, "the tasks' results");
    auto failing = create_task(fail_soon());
    std::string caught;
    try {
        co_await failing;
    } catch (const ValueError& error) {
        caught = error.what();
    }
    expect(caught == "expected", "the task's error");
}

Coro<> nobody_asks() {
    create_task(fail_soon());
    co_await sleep(10ms);
}

/// An awaitable of another library, which resumes what waits for it, or destroys that.
class EndsSoon {
public:
    explicit EndsSoon(bool destroys) : destroys_(destroys) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const {
        get_running_loop().call_soon(
            [waiting, destroys = destroys_] { destroys ? waiting.destroy() : waiting.resume(); });
    }
    int await_resume() const { return 5; }

private:
    bool destroys_;
};

Coro<> other_libraries() {
    int value = co_await EndsSoon(false);
    expect(value == 5, "what another library gives");
    bool caught = false;
    try {
        co_await EndsSoon(true);
    } catch (const RuntimeError&) {
        caught = true;
    }
    expect(caught, "that there will be no outcome");
}

Coro<> deep(int levels) {
    if (levels > 0) {
        co_await deep(levels - 1);
    } else {
        co_await sleep(1ms);
        throw ValueError(long_text);
    }
}

Coro<> deep_error() {
    bool caught = false;
    try {
        co_await deep(10);
    } catch (const ValueError&) {
        caught = true;
    }
    expect(caught, "the error of the innermost coroutine");
}

Coro<> cancelling() {
    auto sleeper = create_task(sleep(1h));
    co_await sleep(1ms);
    sleeper.cancel(long_text);
    std::string message;
    try {
        co_await sleeper;
    } catch (const CancelledError& error) {
        message = error.message().value_or("none");
    }
    expect(message == long_text, "the message of a cancellation");
}

Coro<> swallow_one_cancellation() {
    try {
        co_await sleep(1h);
    } catch (const CancelledError&) {
    }
    co_await sleep(10s);
}

Coro<> cancelling_twice() {
    auto stubborn = create_task(swallow_one_cancellation());
    co_await sleep(1ms);
    stubborn.cancel("first");
    stubborn.cancel("second");
    co_await sleep(1ms);
    stubborn.cancel(long_text);
    auto [done, pending] = co_await wait(stubborn);
    expect(stubborn.cancelled() || stubborn.exception(), "a task that was cancelled twice");
}

Coro<> callbacks() {
    EventLoop& loop = get_running_loop();
    auto calls = std::make_shared<int>(0);
    auto count = [text = std::string(long_text), calls] { ++*calls; };
    loop.call_soon(count);
    TimerHandle late = loop.call_later(0.001, count);
    TimerHandle never = loop.call_later(1000, count);
    loop.call_soon_threadsafe(count);
    loop.call_soon([] { throw ValueError(long_text); });
    never.cancel();
    co_await sleep(10ms);
    expect(*calls == 3, "the callbacks that were called");
}

Coro<> failing_handler() {
    EventLoop& loop = get_running_loop();
    loop.set_exception_handler(
        [text = std::string(long_text)](EventLoop&, const ExceptionContext&) { throw ValueError("in the handler"); });
    loop.call_soon([] { throw ValueError(long_text); });
    create_task(fail_soon());
    co_await sleep(10ms);
    loop.set_exception_handler({});
}

Coro<> futures() {
    auto future = get_running_loop().create_future<std::string>();
    future.add_done_callback([text = std::string(long_text)](const Future<std::string>&) {});
    future.add_done_callback([](const Future<std::string>&) { throw ValueError(long_text); });
    get_running_loop().call_soon([future]() mutable { future.set_result(long_text); });
    std::string result = co_await wait_for(future, 1s);
    expect(result == long_text, "the future's result");
    auto dropped = get_running_loop().create_future<>();
    dropped.set_exception(std::make_exception_ptr(ValueError(long_text)));
}

ContextVar<std::string> variable{"variable"};

Coro<> contexts() {
    auto token = variable.set(long_text);
    auto child = create_task([]() -> Coro<> {
        expect(variable.get() == long_text, "the variable in the child");
        variable.set("other");
        co_await sleep(1ms);
    });
    co_await child;
    auto context = copy_context();
    context.run([] { variable.set("third"); });
    expect(variable.get() == long_text, "the variable in the parent");
    variable.reset(token);
}

AsyncGenerator<int> count_up() {
    for (int i = 0; i < 3; ++i) {
        co_await sleep(1ms);
        co_yield i;
    }
}

/// Counts what is told to the exception handler.
std::shared_ptr<int> count_reports() {
    auto reports = std::make_shared<int>(0);
    get_running_loop().set_exception_handler([reports](EventLoop&, const ExceptionContext&) { ++*reports; });
    return reports;
}

AsyncGenerator<int> cleans_up(std::shared_ptr<bool> is_clean) {
    std::exception_ptr error;
    try {
        co_yield 1;
    } catch (...) {
        error = std::current_exception();
    }
    *is_clean = true;
    if (error) std::rethrow_exception(error);
}

Coro<> a_dropped_generator() {
    std::shared_ptr<int> reports = count_reports();
    auto is_clean = std::make_shared<bool>(false);
    {
        AsyncGenerator<int> generator = cleans_up(is_clean);
        co_await generator.next();
    }
    co_await sleep(1ms);
    expect(*is_clean || *reports > 0, "the end of a generator that nobody has");
}

Coro<> generators() {
    auto all = count_up();
    int sum = 0;
    while (auto item = co_await all.next()) sum += *item;
    expect(sum == 3, "what the generator gave");
    auto closed = count_up();
    co_await closed.next();
    co_await closed.aclose();
    {
        auto dropped = count_up();
        co_await dropped.next();
    }
    co_await sleep(1ms);
    create_task([]() -> Coro<> {  // is cancelled in the end, and leaves the generator to the loop
        auto left = count_up();
        co_await left.next();
        co_await sleep(1h);
    });
    co_await sleep(5ms);
}

Coro<> signals() {
    EventLoop& loop = get_running_loop();
    int count = 0;
    class Removal {
    public:
        ~Removal() { get_running_loop().remove_signal_handler(SIGUSR1); }
    };
    Removal removal;
    loop.add_signal_handler(SIGUSR1, [&count, text = std::string(long_text)] { ++count; });
    ::raise(SIGUSR1);
    for (int i = 0; i < 20 && count == 0; ++i) co_await sleep(1ms);
    expect(count == 1, "the signal's callback");
}

Coro<> descriptors() {
    EventLoop& loop = get_running_loop();
    auto pair = socketpair();
    int calls = 0;
    class Removal {
    public:
        explicit Removal(int fd) : fd_(fd) {}
        ~Removal() {
            try {
                get_running_loop().remove_reader(fd_);
                get_running_loop().remove_writer(fd_);
            } catch (const OSError&) {
            }
        }

    private:
        int fd_;
    };
    Removal removal(pair.first.fileno());
    loop.add_reader(pair.first.fileno(), [&] {
        ++calls;
        loop.remove_reader(pair.first.fileno());
    });
    loop.add_writer(pair.first.fileno(), [&] {
        ++calls;
        loop.remove_writer(pair.first.fileno());
    });
    co_await sock_sendall(pair.second, long_text);
    for (int i = 0; i < 20 && calls < 2; ++i) co_await sleep(1ms);
    expect(calls == 2, "the descriptor's callbacks");
}

AnyTask make_task(EventLoop&, NewTask task, TaskOptions options) { return task.start(options); }

Coro<> eager() {
    get_running_loop().set_task_factory(make_task);
    class Removal {
    public:
        ~Removal() { get_running_loop().set_task_factory({}); }
    };
    Removal removal;
    auto first = create_task(number(1), {.eager_start = true});
    auto second = create_task(number(2));
    int sum = co_await first;
    int more = co_await second;
    sum += more;
    expect(sum == 3, "the results of tasks of a factory");
}

Coro<> debug_mode() {
    get_running_loop().set_debug(true);
    get_running_loop().slow_callback_duration = Seconds(0);
    { [[maybe_unused]] auto never_awaited = number(3); }
    auto task = create_task(number(4));
    int result = co_await task;
    expect(result == 4, "a task's result in debug mode");
    auto called = std::make_shared<bool>(false);
    get_running_loop().call_soon([called] { *called = true; });
    co_await sleep(1ms);
    expect(*called, "that the callback is called in debug mode");
}

}  // namespace

std::vector<Program> core_programs() {
    return {{"tasks", tasks},           {"nobody_asks", nobody_asks},
            {"deep_error", deep_error}, {"other_libraries", other_libraries},
            {"cancelling", cancelling}, {"cancelling_twice", cancelling_twice},
            {"callbacks", callbacks},   {"failing_handler", failing_handler},
            {"futures", futures},       {"contexts", contexts},
            {"generators", generators}, {"a_dropped_generator", a_dropped_generator},
            {"signals", signals},       {"descriptors", descriptors},
            {"eager", eager},           {"debug_mode", debug_mode}};
}

}  // namespace faults
