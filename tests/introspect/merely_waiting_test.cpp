// Programs that only wait: for each way in which the outside may end a wait, and for each thing that a task may wait
// for meanwhile, none is called a deadlock.
#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>
#include <asyncio/subprocess.h>

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/run_test.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;  // not the one of <unistd.h>

/// Another process, which does something a little later.
class Somebody {
public:
    template <class F>
    explicit Somebody(F act) : pid_(::fork()) {
        if (pid_ != 0) return;
        ::usleep(3000);
        act();
        ::_exit(0);
    }
    ~Somebody() { ::waitpid(pid_, nullptr, 0); }
    Somebody(const Somebody&) = delete;
    Somebody& operator=(const Somebody&) = delete;

private:
    pid_t pid_;
};

struct Pipe {
    Pipe() {
        if (::pipe(ends.data()) != 0) throw RuntimeError("no pipe");
    }
    ~Pipe() {
        for (int end : ends) ::close(end);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    std::array<int, 2> ends;
};

void write_a_byte(int fd) { static_cast<void>(!::write(fd, "x", 1)); }

// What ends by itself, or by somebody outside.

struct Outside {
    const char* name;
    std::function<Coro<>()> wait;
};

Coro<> a_sleep() { co_await sleep(2ms); }
Coro<> a_timer() {
    Future<> done = get_running_loop().create_future<void>();
    get_running_loop().call_later(2ms, [done] { done.set_result(); });
    co_await done;
}
Coro<> a_timeout() {
    Future<> never = get_running_loop().create_future<void>();
    try {
        co_await wait_for(never, 2ms);
    } catch (const TimeoutError&) {
    }
}
Coro<> a_descriptor() {
    Pipe pipe;
    Somebody other([&] { write_a_byte(pipe.ends[1]); });
    co_await readable(pipe.ends[0]);
}
Coro<> a_reader_callback() {
    Pipe pipe;
    Future<> done = get_running_loop().create_future<void>();
    Somebody other([&] { write_a_byte(pipe.ends[1]); });
    get_running_loop().add_reader(pipe.ends[0], [done, fd = pipe.ends[0]] {
        get_running_loop().remove_reader(fd);
        done.set_result();
    });
    co_await done;
}
Coro<> a_socket() {
    auto [one, other] = socketpair();
    Somebody child([fd = other.fileno()] { write_a_byte(fd); });
    co_await sock_recv(one, 1);
}
Coro<> a_stream() {
    auto [one, other] = socketpair();
    OpenConnectionOptions options = {.sock = &one};
    Streams streams = co_await open_connection(options);
    Somebody child([fd = other.fileno()] { write_a_byte(fd); });
    co_await streams.reader.read(1);
    streams.writer.close();
    co_await streams.writer.wait_closed();
}
Coro<> a_signal() {
    Future<> done = get_running_loop().create_future<void>();
    get_running_loop().add_signal_handler(SIGUSR1, [done] {
        if (!done.done()) done.set_result();
    });
    Somebody other([parent = ::getpid()] { ::kill(parent, SIGUSR1); });
    co_await done;
    get_running_loop().remove_signal_handler(SIGUSR1);
}
Coro<> a_child() {
    subprocess::Process child = co_await create_subprocess_exec("sleep", "0.003");
    co_await child.wait();
}
Coro<> a_client() {
    Event came;
    auto handle = [&](StreamReader, StreamWriter writer) -> Coro<> {
        came.set();
        writer.close();
        co_await writer.wait_closed();
    };
    Server server = co_await start_server(handle, "127.0.0.1", 0);
    std::string port = std::to_string(server.sockets()[0].getsockname().port());
    subprocess::Process child =
        co_await create_subprocess_exec("bash", {"-c", "sleep 0.003; exec 3<>/dev/tcp/127.0.0.1/" + port});
    co_await came.wait();
    co_await child.wait();
    server.close();
    co_await server.wait_closed();
}
Coro<> a_call_on_a_thread() {
    co_await to_thread([] { std::this_thread::sleep_for(2ms); });
}
Coro<> a_post() {
    Future<> done = get_running_loop().create_future<void>();
    std::thread other([&done, &loop = get_running_loop()] {
        std::this_thread::sleep_for(2ms);
        loop.call_soon_threadsafe([&done] { done.set_result(); });
    });
    co_await done;
    other.join();
}
Coro<> a_name() { co_await getaddrinfo("localhost", 80); }

std::vector<Outside> without_threads() {
    return {{"sleep", a_sleep},
            {"timer", a_timer},
            {"timeout", a_timeout},
            {"descriptor", a_descriptor},
            {"reader callback", a_reader_callback},
            {"socket", a_socket},
            {"stream", a_stream},
            {"signal", a_signal},
            {"child", a_child},
            {"client", a_client}};
}
std::vector<Outside> with_threads() {
    return {{"call on a thread", a_call_on_a_thread}, {"post", a_post}, {"name", a_name}};
}

// What a task waits for until another has come back from outside.

struct Inside {
    const char* name;
    std::function<Coro<>(std::function<Coro<>()>)> wait;
};
using Work = std::function<Coro<>()>;

Coro<> for_a_lock(Work work) {
    Lock lock;
    Task<> holder = create_task([&]() -> Coro<> {
        auto held = co_await lock.guard();
        co_await work();
    });
    co_await sleep(0);
    auto mine = co_await lock.guard();
    co_await holder;
}
Coro<> for_an_event(Work work) {
    Event event;
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        event.set();
    });
    co_await event.wait();
    co_await other;
}
Coro<> for_a_condition(Work work) {
    Condition condition;
    bool is_done = false;
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        auto held = co_await condition.guard();
        is_done = true;
        condition.notify_all();
    });
    {
        auto held = co_await condition.guard();
        co_await condition.wait_for([&] { return is_done; });
    }
    co_await other;
}
Coro<> for_a_semaphore(Work work) {
    Semaphore semaphore(0);
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        semaphore.release();
    });
    co_await semaphore.acquire();
    co_await other;
}
Coro<> for_a_barrier(Work work) {
    Barrier barrier(2);
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        co_await barrier.wait();
    });
    co_await barrier.wait();
    co_await other;
}
Coro<> for_an_item(Work work) {
    Queue<int> queue;
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        co_await queue.put(1);
    });
    co_await queue.get();
    co_await other;
}
Coro<> for_room(Work work) {
    Queue<int> queue(1);
    queue.put_nowait(1);
    Task<> other = create_task([&]() -> Coro<> {
        co_await work();
        co_await queue.get();
    });
    co_await queue.put(2);
    co_await other;
}
Coro<> for_all_items(Work work) {
    Queue<int> queue;
    queue.put_nowait(1);
    Task<> other = create_task([&]() -> Coro<> {
        co_await queue.get();
        co_await work();
        queue.task_done();
    });
    co_await queue.join();
    co_await other;
}
Coro<> for_a_group(Work work) {
    co_await with(TaskGroup(), [&](TaskGroup& group) { group.create_task(work()); });
}
Coro<> for_several(Work work) {
    Task<> one = create_task(work());
    co_await gather(one, shield(one));
}
Coro<> for_the_first(Work work) {
    Task<> one = create_task(work());
    Future<> never = get_running_loop().create_future<void>();
    std::vector<AnyFuture> both = {one, never};
    WaitOptions options = {.return_when = ReturnWhen::FIRST_COMPLETED};
    co_await wait(both, options);
}

std::vector<Inside> inside() {
    return {{"lock", for_a_lock},
            {"event", for_an_event},
            {"condition", for_a_condition},
            {"semaphore", for_a_semaphore},
            {"barrier", for_a_barrier},
            {"item", for_an_item},
            {"room", for_room},
            {"join", for_all_items},
            {"group", for_a_group},
            {"gather", for_several},
            {"first", for_the_first}};
}

int run_all(const std::vector<Outside>& outside) {
    int programs = 0;
    for (const Outside& work : outside) {
        for (const Inside& waits : inside()) {
            ++programs;
            try {
                run(waits.wait(work.wait), {.on_deadlock = OnDeadlock::raise});
            } catch (...) {
                ADD_FAILURE() << waits.name << ", which waits for: " << work.name << ": "
                              << repr(std::current_exception());
            }
        }
    }
    return programs;
}

TEST(Deadlock, IsNoneOfAHundredProgramsThatMerelyWait) { EXPECT_EQ(run_all(without_threads()), 110); }
TEST(DeadlockThreads, AreNoneWhereAThreadEndsTheWait) { EXPECT_EQ(run_all(with_threads()), 33); }

}  // namespace
