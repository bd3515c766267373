#include <asyncio/asyncio.h>
#include <asyncio/net/ready.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "net/net_support.h"
#include "net/pipe_support.h"
#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::NetTest;
using support::run_each_pass;
using support::run_net;

namespace {

using Ready = NetTest;

using Pipe = support::PipeEnds;

Coro<> note_readable(int fd, std::string& order, char name) {
    co_await readable(fd);
    order += name;
}
Coro<> note_writable(int fd, std::string& order, char name) {
    co_await writable(fd);
    order += name;
}

TEST_F(Ready, WaitsUntilThereIsSomethingToRead) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
        co_await sleep(1ms);
        EXPECT_EQ(order, "");
        pipe.write("text");
        co_await task;
        EXPECT_EQ(order, "r");
        EXPECT_EQ(pipe.read(), "text");
    });
}

TEST_F(Ready, WaitsUntilThereIsRoom) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        pipe.fill();
        std::string order;
        Task<> task = create_task(note_writable(pipe.writer(), order, 'w'));
        co_await sleep(1ms);
        EXPECT_EQ(order, "");
        while (pipe.read()[0] == ' ') {
        }
        co_await task;
    });
}

TEST_F(Ready, GoesOnAtOnceIfItIsSoAlready) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        pipe.write("text");
        std::string order;
        Task<> other = create_task([&]() -> Coro<> {
            order += 'o';
            co_return;
        });
        co_await readable(pipe.reader());
        co_await writable(pipe.writer());
        EXPECT_EQ(order, "");  // no other task had a turn
        co_await other;
    });
}

TEST_F(Ready, FilesAndTheNullDeviceAreReadyAlways) {
    run_net([]() -> Coro<> {
        for (const char* name : {"/dev/null", "/proc/self/exe"}) {
            int fd = ::open(name, O_RDONLY | O_CLOEXEC);
            co_await readable(fd);
            co_await writable(fd);
            ::close(fd);
        }
    });
}

TEST_F(Ready, AnEndAndAReaderThatIsGoneAreToldToo) {
    run_net([]() -> Coro<> {
        Pipe ended;
        Pipe unread;
        unread.fill();
        std::string order;
        Task<> reader = create_task(note_readable(ended.reader(), order, 'r'));
        Task<> writer = create_task(note_writable(unread.writer(), order, 'w'));
        Task<> looker = create_task(note_readable(unread.writer(), order, 'l'));
        co_await sleep(1ms);
        ended.close_writer();
        unread.close_reader();
        co_await gather(reader, writer, looker);
    });
}

TEST_F(Ready, BothDirectionsAtOnce) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [one, other] = pair;
        support::fill(one);
        std::string order;
        Task<> reader = create_task(note_readable(one.fileno(), order, 'r'));
        Task<> writer = create_task(note_writable(one.fileno(), order, 'w'));
        co_await sleep(1ms);
        EXPECT_EQ(order, "");
        support::send_now(other, "x");
        co_await reader;
        EXPECT_EQ(order, "r");
        while (!support::receive_now(other).empty()) {
        }
        co_await writer;
        EXPECT_EQ(order, "rw");
    });
}

TEST_F(Ready, OfSeveralTasksAllGoOn) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        std::vector<Task<>> tasks;
        for (char name : {'a', 'b', 'c'}) tasks.push_back(create_task(note_readable(pipe.reader(), order, name)));
        co_await sleep(1ms);
        pipe.write("x");
        co_await gather(tasks);
        EXPECT_EQ(order.size(), 3u);
    });
}

TEST_F(Ready, IsNoTroubleBesideAReaderAndAWriterOfTheSameDescriptor) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [one, other] = pair;
        int called = 0;
        EventLoop& loop = get_running_loop();
        int fd = one.fileno();
        loop.add_reader(fd, [&] {
            if (++called == 2) loop.remove_reader(fd);
        });
        std::string order;
        Task<> reader = create_task(note_readable(fd, order, 'r'));
        co_await sleep(1ms);
        support::send_now(other, "x");
        co_await reader;
        co_await sleep(1ms);
        EXPECT_EQ(called, 2);
        Task<> again = create_task(note_readable(fd, order, 'a'));
        co_await again;
        EXPECT_FALSE(loop.remove_reader(fd));
        std::string received = co_await sock_recv(one, 10);
        EXPECT_EQ(received, "x");
    });
}

TEST_F(Ready, ACancelledWaitLeavesNothing) {
    run_net([]() -> Coro<> {
        support::have_loop_opened();
        Pipe pipe;
        int before = support::count_open_fds();
        std::string order;
        for (int i = 0; i < 3; ++i) {
            Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
            co_await sleep(1ms);
            EXPECT_EQ(support::count_open_fds(), before + 1);
            task.cancel();
            co_await wait(task);
            EXPECT_TRUE(task.cancelled());
            EXPECT_EQ(support::count_open_fds(), before);
        }
        bool timed_out = false;
        try {
            co_await wait_for(readable(pipe.reader()), 1ms);
        } catch (const asyncio::TimeoutError&) {
            timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        EXPECT_EQ(support::count_open_fds(), before);
        pipe.write("x");
        co_await readable(pipe.reader());
        EXPECT_EQ(order, "");
    });
}

TEST_F(Ready, CancelledWhenItWasSeenAlreadyItHasTakenNothing) {
    run_each_pass([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
        co_await sleep(0s);
        pipe.write("x");
        get_running_loop().call_soon([&] { task.cancel(); });  // in the pass in which it is seen
        co_await wait(task);
        EXPECT_TRUE(task.cancelled());
        EXPECT_EQ(pipe.read(), "x");
    });
}

TEST_F(Ready, ANumberThatIsClosedAndGivenOutAgainWhileItWaitsIsAnotherFile) {
    run_net([]() -> Coro<> {
        Pipe first;
        std::string order;
        int number = first.reader();
        int kept = ::dup(first.reader());
        Task<> task = create_task(note_readable(number, order, 'a'));
        co_await sleep(1ms);
        Pipe second;
        EXPECT_EQ(::dup2(second.reader(), number), number);  // closes the first
        Task<> other = create_task(note_readable(number, order, 'b'));
        co_await sleep(1ms);
        second.write("for b");
        co_await other;
        co_await sleep(2ms);
        EXPECT_EQ(order, "b");
        first.write("for a");
        co_await task;
        EXPECT_EQ(order, "ba");
        ::close(kept);
    });
}

TEST_F(Ready, AClosedDescriptorDoesNotEndTheWait) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
        co_await sleep(1ms);
        pipe.close_reader();
        pipe.write("x");  // somebody still has the file
        co_await task;
        EXPECT_EQ(order, "r");
    });
}

// The same as CPython prints for a future that a reader ends.
TEST_F(Ready, GoesOnOnePassAfterThatInWhichItWasSeen) {
    run_each_pass([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
        co_await sleep(0s);
        co_await sleep(0s);
        pipe.write("x");
        for (char pass : {'0', '1', '2', '3'}) {
            co_await sleep(0s);
            order += pass;
        }
        EXPECT_EQ(order, "01r23");
    });
}

TEST_F(Ready, RefusesWhatIsNoDescriptor) {
    run_net([]() -> Coro<> {
        int error = 0;
        try {
            co_await readable(999'999);
        } catch (const OSError& thrown) {
            error = thrown.errno_value();
        }
        EXPECT_EQ(error, EBADF);
        std::string text;
        try {
            co_await writable(-1);
        } catch (const ValueError& thrown) {
            text = thrown.what();
        }
        EXPECT_EQ(text, "Invalid file descriptor: -1");
    });
}

TEST_F(Ready, RefusesTheDescriptorOfAStream) {
    run_net([]() -> Coro<> {
        support::Ends ends = co_await support::connect_ends();
        std::string text;
        try {
            co_await readable(ends.client.writer.get_extra_info("socket").socket().fileno());
        } catch (const RuntimeError& thrown) {
            text = thrown.what();
        }
        EXPECT_NE(text.find(" is used by transport "), text.npos) << text;
    });
}

TEST_F(Ready, ASocketThatIsClosedTells) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [one, other] = pair;
        auto look = [&sock = one]() -> Coro<int> {
            try {
                co_await readable(sock);
            } catch (const OSError& error) {
                co_return error.errno_value();
            }
            co_return 0;
        };
        Task<int> first = create_task(look);
        co_await sleep(1ms);
        support::send_now(other, "x");
        int error = co_await first;
        EXPECT_EQ(error, 0);
        EXPECT_EQ(support::receive_now(one), "x");
        co_await writable(one);
        Task<int> second = create_task(look);
        co_await sleep(1ms);
        one.close();
        error = co_await second;
        EXPECT_EQ(error, EBADF);
    });
}

TEST_F(Ready, ReprNamesTheDescriptor) {
    run_net([]() -> Coro<> {
        Pipe pipe;
        std::string order;
        Task<> task = create_task(note_readable(pipe.reader(), order, 'r'));
        co_await sleep(1ms);
        std::string wanted = "wait_for=<file descriptor " + std::to_string(pipe.reader()) + " in readable()>";
        EXPECT_NE(repr(task).find(wanted), std::string::npos) << repr(task);
        task.cancel();
        co_await wait(task);
    });
}

TEST_F(Ready, TimersEventsChildrenAndFoldersHaveDescriptors) {
    run_net([]() -> Coro<> {
        int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        itimerspec soon = {{0, 0}, {0, 2'000'000}};
        ::timerfd_settime(timer, 0, &soon, nullptr);
        co_await readable(timer);
        ::close(timer);

        int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        get_running_loop().call_later(1ms, [event] { ::eventfd_write(event, 1); });
        co_await readable(event);
        ::close(event);

        pid_t child = ::fork();
        if (child == 0) ::_exit(7);
        int process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
        co_await readable(process);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, WNOHANG), child);
        EXPECT_EQ(WEXITSTATUS(status), 7);
        ::close(process);

        support::Folder folder;
        int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        ::inotify_add_watch(watch, folder.path("").c_str(), IN_CREATE);
        get_running_loop().call_later(1ms,
                                      [&] { ::close(::open(folder.path("sock").c_str(), O_CREAT | O_RDWR, 0600)); });
        co_await readable(watch);
        ::close(watch);
    });
}

TEST_F(Ready, AClosedLoopLeavesNothingOpen) {
    std::string order;
    Pipe pipe;
    {
        EventLoop loop;
        loop.create_task(note_readable(pipe.reader(), order, 'r')).cancel();
        Task<> task = loop.create_task(note_readable(pipe.reader(), order, 'r'));
        loop.call_later(1ms, [&] { loop.stop(); });
        loop.run_forever();
        loop.set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    }
    EXPECT_EQ(order, "");
}

}  // namespace
