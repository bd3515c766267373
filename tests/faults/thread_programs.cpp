// Programs in which other threads do something for the loop, or to it. What needs no thread runs by the real clock,
// too.
#include <asyncio/asyncio.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const char* const long_text = "a text that is too long for the room inside a string";

/// Runs it; there may be no thread to be had.
template <class Main>
Coro<> if_a_thread_starts(Main main) {
    try {
        co_await main();
    } catch (const RuntimeError& error) {
        expect(error.what() == std::string("can't start new thread"), "why there is no thread");
    }
}

Coro<> give_and_throw() {
    std::string text = co_await to_thread([] { return std::string(long_text); });
    expect(text == long_text, "what a thread gives");
    std::string caught;
    try {
        co_await to_thread([] { throw ValueError(long_text); });
    } catch (const ValueError& error) {
        caught = error.what();
    }
    expect(caught == long_text, "the error of a thread");
}

Coro<> threads_give_and_throw() { co_await if_a_thread_starts(give_and_throw); }

Coro<> look_up_names() {
    std::vector<AddressInfo> found = co_await getaddrinfo("localhost", "80", {.type = SocketKind::STREAM});
    expect(!found.empty(), "an address");
    NameInfo name = co_await getnameinfo(SocketAddress("127.0.0.1", 80));
    expect(!name.host.empty(), "a name");
}

Coro<> names_are_looked_up() { co_await if_a_thread_starts(look_up_names); }

/// Threads of another library. What they have of memory goes before it is counted.
struct Threads {
    Threads() { all.reserve(2); }
    ~Threads() {
        for (std::thread& thread : all) thread.join();
    }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    std::vector<std::thread> all;
};

/// An awaitable of another library, which resumes who waits for it on a thread of its own.
class OnAThread {
public:
    explicit OnAThread(Threads& its_threads) : threads(its_threads) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const {
        threads.all.emplace_back([waiting] { waiting.resume(); });
    }
    std::string await_resume() const { return long_text; }

    Threads& threads;
};

Coro<> another_library_has_threads() {
    Threads threads;
    std::string text = co_await OnAThread(threads);
    expect(text == long_text, "what the other library gives");
    auto cancelled = create_task([&]() -> Coro<> { co_await OnAThread(threads); });
    co_await asyncio::sleep(0);
    cancelled.cancel();
    auto [done, pending] = co_await wait(cancelled);
    expect(pending.empty(), "the end of who waited");
}

Coro<int> number(int value) {
    co_await sleep(1ms);
    co_return value;
}

/// On a thread: what it gives is the coroutine's, and `calls` is one more if the loop had it called.
int ask_the_loop(EventLoop& loop, std::shared_ptr<int> calls) {
    loop.call_soon_threadsafe([calls, text = std::string(long_text)] { ++*calls; });
    return run_coroutine_threadsafe(number(1), loop).result();
}

Coro<> ask_on_a_thread() {
    auto calls = std::make_shared<int>(0);
    int one = co_await to_thread(ask_the_loop, std::ref(get_running_loop()), calls);
    expect(one == 1 && *calls == 1, "what the thread asked for");
}

Coro<> a_thread_asks_the_loop() { co_await if_a_thread_starts(ask_on_a_thread); }

Coro<> the_real_clock_ends_sleeps() {
    auto sleeping = create_task(number(1));
    bool is_late = false;
    try {
        co_await wait_for(sleep(10s), 2ms);
    } catch (const TimeoutError&) {
        is_late = true;
    }
    expect(is_late, "the timeout");
    int one = co_await sleeping;
    expect(one == 1, "what the task gives");
}

}  // namespace

std::vector<Program> thread_programs() {
    return {{.name = "ThreadsGiveAndThrow", .main = threads_give_and_throw, .real_time = true},
            {.name = "NamesAreLookedUp", .main = names_are_looked_up, .real_time = true},
            {.name = "AnotherLibraryHasThreads", .main = another_library_has_threads, .real_time = true},
            {.name = "AThreadAsksTheLoop", .main = a_thread_asks_the_loop, .real_time = true},
            {.name = "TheRealClockEndsSleeps", .main = the_real_clock_ends_sleeps, .real_time = true}};
}

}  // namespace faults
