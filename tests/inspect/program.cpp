// A program to be looked at by asyncio-inspect. It says "ready" when all is as it is to be, and stays so until its
// input ends.
//     program WHAT [COUNT]    WHAT: parked, deadlock, many, loops, busy, churn, forked, without_main, spin,
//                                 no_loop, closed, becomes
#include <asyncio/asyncio.h>
#include <asyncio/introspect/named.h>
#include <asyncio/subprocess.h>

#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

using asyncio::sleep;  // not the one of <unistd.h>

void say_ready() {
    std::puts("ready");
    std::fflush(stdout);
}

Coro<> end_of_input() {
    get_running_loop().call_later(1ms, say_ready);
    co_await asyncio::readable(0);
}

Coro<> hold(Lock& lock) {
    auto guard = co_await lock.guard();
    co_await sleep(1h);
}
Coro<> inner(Event& event) { co_await event.wait(); }
Coro<> middle(Event& event) { co_await inner(event); }
Coro<> outer(Event& event) { co_await middle(event); }
Coro<> a_while() { co_await sleep(1h); }

/// A task for each thing that can be waited for, named after it.
Coro<> parked() {
    Lock lock;
    Event event;
    Condition condition;
    Semaphore semaphore(0);
    Barrier barrier(3);
    Named<Queue<int>> empty("orders");
    Queue<int> full(1);
    full.put_nowait(1);
    EventLoop& loop = get_running_loop();
    Future<int> future = loop.create_future<int>();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();

    std::vector<AnyTask> tasks;
    auto add = [&](const char* name, auto function) { tasks.push_back(create_task(function, {.name = name})); };
    add("holder", [&] { return hold(lock); });
    co_await sleep(0);
    add("sleeps", [] { return a_while(); });
    add("locks", [&]() -> Coro<> { co_await lock.acquire(); });
    add("event", [&] { return outer(event); });
    add("condition", [&]() -> Coro<> {
        auto guard = co_await condition.guard();
        co_await condition.wait();
    });
    add("semaphore", [&]() -> Coro<> { co_await semaphore.acquire(); });
    add("barrier", [&]() -> Coro<> { co_await barrier.wait(); });
    add("gets", [&]() -> Coro<> { co_await empty.get(); });
    add("puts", [&]() -> Coro<> { co_await full.put(2); });
    add("joins", [&]() -> Coro<> { co_await full.join(); });
    add("future", [&]() -> Coro<> { co_await future; });
    Task<> awaited = create_task(a_while(), {.name = "awaited"});
    add("awaits", [&]() -> Coro<> { co_await awaited; });
    add("gathers", [&]() -> Coro<> { co_await gather(awaited, future, a_while()); });
    add("shields", [&]() -> Coro<> { co_await shield(awaited); });
    add("waits", [&]() -> Coro<> { co_await asyncio::wait(awaited, future, {.timeout = 30min}); });
    add("completes", [&]() -> Coro<> {
        auto steps = as_completed(awaited, future);
        co_await steps.next();
    });
    add("times out", [&]() -> Coro<> { co_await wait_for(a_while(), 30min); });
    add("group", [&]() -> Coro<> {
        co_await with(TaskGroup(), [&](TaskGroup& group) { group.create_task(a_while(), {.name = "member"}); });
    });
    add("descriptor", [&]() -> Coro<> { co_await readable(ends[0]); });
    Server server =
        co_await start_server([](StreamReader, StreamWriter) -> Coro<> { co_await sleep(1h); }, "127.0.0.1", 0);
    int port = server.sockets()[0].getsockname().port();
    add("stream", [&]() -> Coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        co_await reader.readline();
    });
    std::optional<Server> server6;
    try {
        server6 = co_await start_server([](StreamReader, StreamWriter) -> Coro<> { co_await sleep(1h); }, "::1", 0);
    } catch (const OSError&) {  // this machine has no such address
    }
    if (server6) {
        add("stream6", [&]() -> Coro<> {
            auto [reader, writer] = co_await open_connection("::1", server6->sockets()[0].getsockname().port());
            co_await reader.readline();
        });
    }
    std::string more_than_fits(32 << 20, 'x');
    add("drains", [&]() -> Coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        writer.write(more_than_fits);
        co_await writer.drain();
    });
    add("closes", [&]() -> Coro<> {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        writer.write(more_than_fits);
        writer.close();
        co_await writer.wait_closed();
    });
    add("writes", [&]() -> Coro<> {
        Socket socket(AddressFamily::INET);
        co_await sock_connect(socket, "127.0.0.1", port);
        co_await sock_sendall(socket, more_than_fits);
    });
    add("process", [&]() -> Coro<> {
        subprocess::Process child =
            co_await create_subprocess_exec("cat", {}, {.stdin = subprocess::PIPE});  // ends with us
        co_await child.wait();
    });
    add("serves", [&]() -> Coro<> { co_await server.serve_forever(); });
    add("runs", [&]() -> Coro<> {
        RunProcessOptions options;
        options.process.stdin = ends[1];  // ends with us
        co_await run_process({"cat"}, options);
    });
    add("thread", [&]() -> Coro<> { co_await to_thread([] { std::this_thread::sleep_for(1h); }); });
    add("executor",
        [&]() -> Coro<> { co_await loop.run_in_executor(nullptr, [] { std::this_thread::sleep_for(1h); }); });
    add("wraps", [&]() -> Coro<> { co_await wrap_future(run_coroutine_threadsafe(a_while(), loop)); });
    for (int i = 0; i < 50; ++i) co_await sleep(1ms);
    Event over;
    add("strange \x1b[31m\n\"name\"", [&] { return outer(event); });
    tasks.back().set_name("strange \x1b[31m\n\"name\"");
    co_await sleep(0);
    co_await end_of_input();
    std::_Exit(0);
}

Coro<> move(Lock& from, Lock& to) {
    auto first = co_await from.guard();
    co_await sleep(0);
    auto second = co_await to.guard();
}

Coro<> deadlock() {
    Lock one;
    Lock two;
    Task<> a = create_task(move(one, two), {.name = "A"});
    Task<> b = create_task(move(two, one), {.name = "B"});
    Lock three;  // a circle that a time-out will end
    Lock four;
    Task<> c = create_task(wait_for(move(three, four), 1h), {.name = "C"});
    Task<> d = create_task(move(four, three), {.name = "D"});
    co_await sleep(1ms);
    co_await end_of_input();
    std::_Exit(0);
}

Coro<> many(int count) {
    Event event;
    std::vector<Task<>> tasks;
    tasks.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) tasks.push_back(create_task(outer(event)));
    co_await sleep(0);
    co_await end_of_input();
    std::_Exit(0);
}

/// So many tasks that are parked, and one that never waits.
Coro<> busy(int count) {
    Event event;
    std::vector<Task<>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(create_task(outer(event)));
    co_await sleep(0);
    Task<> stops = create_task(end_of_input());
    while (!stops.done()) co_await sleep(0);
    std::_Exit(0);
}

Coro<> short_life(int depth) {
    if (depth > 0) co_await short_life(depth - 1);
    co_await sleep(0);
}

/// Tasks begin and end all the time.
Coro<> churn(int count) {
    Event event;
    std::vector<Task<>> parked;
    for (int i = 0; i < count; ++i) parked.push_back(create_task(outer(event)));
    co_await sleep(0);
    Task<> stops = create_task(end_of_input());
    while (!stops.done()) {
        std::vector<Task<>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(create_task(short_life(i % 5)));
        for (Task<>& task : tasks) co_await task;
    }
    std::_Exit(0);
}

void loops(int count) {
    std::vector<std::thread> threads;
    for (int i = 1; i < count; ++i) {
        threads.emplace_back([] { run(a_while()); });
    }
    run([]() -> Coro<> {
        co_await sleep(50ms);
        co_await end_of_input();
        std::_Exit(0);
    }());
}

/// Goes on in a child of itself.
Coro<> forked() {
    co_await sleep(0);
    if (pid_t child = ::fork(); child > 0) {
        int status = 0;
        ::waitpid(child, &status, 0);
        std::_Exit(0);
    }
    co_await sleep(0);
    co_await end_of_input();
    std::_Exit(0);
}

/// The loop's thread goes on when the main thread has ended.
void without_main() {
    std::thread([] {
        run([]() -> Coro<> {
            co_await end_of_input();
            std::_Exit(0);
        }());
    }).detach();
    ::pthread_exit(nullptr);
}

/// Is another program, parked, once something comes on its input.
Coro<> becomes(const char* program) {
    co_await end_of_input();
    char line[100];
    if (::read(0, line, sizeof line) > 0) ::execl(program, program, "parked", nullptr);
    std::abort();
}

void spin() {
    say_ready();
    for (std::atomic<unsigned> i = 0;; ++i) continue;
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view what = argc > 1 ? argv[1] : "parked";
    int count = argc > 2 ? std::atoi(argv[2]) : 4;
    if (what == "parked") run(parked());
    if (what == "deadlock") run(deadlock());
    if (what == "many") run(many(count));
    if (what == "busy") run(busy(count));
    if (what == "churn") run(churn(count));
    if (what == "forked") run(forked());
    if (what == "loops") loops(count);
    if (what == "becomes") run(becomes(argv[0]));
    if (what == "without_main") without_main();
    if (what == "spin") {
        run([]() -> Coro<> {
            spin();
            co_return;
        }());
    }
    if (what == "no_loop") {
        say_ready();
        char byte;
        return static_cast<int>(::read(0, &byte, 1));
    }
    if (what == "closed") {
        EventLoop loop;
        loop.close();
        say_ready();
        char byte;
        return static_cast<int>(::read(0, &byte, 1));
    }
    return 0;
}
