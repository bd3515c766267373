// Values, errors, templates and context variables cross the borders of three parts: this program, a plugin of its own
// and the library, whichever of them hide their symbols.
#include "plugin.h"

#include <coroutine>
#include <cstdio>
#include <cstdlib>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

void expect(bool is_so, const char* what) {
    if (is_so) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::exit(1);
}

template <class Error>
Coro<bool> is_caught(int which) {
    try {
        co_await plugin_failure(which);
    } catch (const Error&) {
        co_return true;
    }
    co_return false;
}

/// As an awaitable of another library.
class ThreeSoon {
public:
    ThreeSoon() {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const {
        get_running_loop().call_soon([waiting] { waiting.resume(); });
    }
    int await_resume() const { return 3; }
};

Coro<> fails() {
    co_await sleep(0s);
    throw ValueError("value");
}

Coro<std::string> is_cancelled() {
    Task<std::string> task = create_task(plugin_catches([]() -> Coro<> { co_await sleep(1h); }()));
    co_await sleep(0s);
    task.cancel();
    co_return co_await task;
}

Coro<> main_coro() {
    Future<std::string> future = get_running_loop().create_future<std::string>();
    get_running_loop().call_soon([future]() mutable { future.set_result("there"); });
    std::string value = co_await plugin_value(future);
    expect(value == "there and back", "a value goes through the plugin");

    int three = co_await ThreeSoon();
    expect(three == 3, "an awaitable of another library is awaited");

    bool timeout_error = co_await is_caught<TimeoutError>(0);
    expect(timeout_error, "a TimeoutError is caught");
    bool plugin_error = co_await is_caught<PluginError>(1);
    expect(plugin_error, "an error of the plugin's own is caught");
    bool runtime_error = co_await is_caught<RuntimeError>(1);
    expect(runtime_error, "... by its base");
    bool group = co_await is_caught<ExceptionGroup>(2);
    expect(group, "an ExceptionGroup is caught");
    bool library_error = co_await is_caught<TimeoutError>(3);
    expect(library_error, "what the library throws in the plugin is caught");
    bool cancelled = co_await is_caught<CancelledError>(4);
    expect(cancelled, "a CancelledError is caught");
    current_task().uncancel();

    std::string caught = co_await plugin_catches(fails());
    expect(caught == "ValueError", "the plugin catches a ValueError");
    caught = co_await is_cancelled();
    expect(caught == "CancelledError", "the plugin catches a CancelledError");

    variable.set("seen");
    expect(plugin_variable() == "seen", "a context variable is the same one");
    std::string on_thread = co_await to_thread(plugin_variable);
    expect(on_thread == "seen", "... on a thread, too");
}

}  // namespace

int main() {
    run(main_coro(), {.clock = VirtualClock{}});
    std::puts("all is well");
}
