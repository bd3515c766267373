#include <asyncio/errors/os_errors.h>
#include <asyncio/net/sock.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>

#include <string>
#include <vector>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::NetTest;
using support::run_net;

namespace {

using SendTurnsTest = NetTest;
using SendTurnsExecutorTest = NetTest;  // what the kernel cannot send is read on a thread

constexpr std::size_t large = 1'500'000;

/// A file of so many letters.
class LetterFile {
public:
    LetterFile(char letter, std::size_t size) : fd(::memfd_create("test", MFD_CLOEXEC)) {
        std::string text(size, letter);
        EXPECT_EQ(::write(fd, text.data(), size), static_cast<ssize_t>(size));
        ::lseek(fd, 0, SEEK_SET);
    }
    ~LetterFile() { ::close(fd); }
    LetterFile(const LetterFile&) = delete;
    int fd;
};

/// A pipe that a number of letters comes through, which the kernel's sendfile() refuses.
class LetterPipe {
public:
    LetterPipe(char letter, std::size_t size) {
        int fds[2];
        EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
        std::string text(size, letter);
        EXPECT_EQ(::write(fds[1], text.data(), size), static_cast<ssize_t>(size));
        ::close(fds[1]);
        fd = fds[0];
    }
    ~LetterPipe() { ::close(fd); }
    LetterPipe(const LetterPipe&) = delete;
    int fd = -1;
};

Coro<> send_letters(Socket& socket, char letter, std::size_t size) {
    std::string data(size, letter);
    co_await sock_sendall(socket, data);
}

/// What came, as runs of one letter: "a1500000 b10".
Coro<std::string> runs_received(Socket& socket) {
    std::string text;
    char letter = 0;
    std::size_t count = 0;
    auto end_run = [&] {
        if (count > 0) text += (text.empty() ? "" : " ") + std::string(1, letter) + std::to_string(count);
        count = 0;
    };
    for (;;) {
        std::string data = co_await sock_recv(socket, 100'000);
        if (data.empty()) break;
        for (char next : data) {
            if (next != letter) end_run();
            letter = next;
            ++count;
        }
    }
    end_run();
    co_return text;
}

TEST_F(SendTurnsTest, EachSendAllIsServedWholeInTheOrderInWhichTheyCame) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        std::string ended;
        auto send = [&](char letter, std::size_t size) -> Coro<> {
            co_await send_letters(a, letter, size);
            ended += letter;
        };
        std::vector<Task<>> sending;
        sending.push_back(create_task(send('a', large)));
        sending.push_back(create_task(send('b', large)));
        sending.push_back(create_task(send('c', 10)));
        sending.push_back(create_task(send('d', large)));
        auto receiving = create_task(runs_received(b));
        for (Task<>& task : sending) {
            co_await task;
        }
        a.close();
        std::string runs = co_await std::move(receiving);
        EXPECT_EQ(runs, "a1500000 b1500000 c10 d1500000");
        EXPECT_EQ(ended, "abcd");
    });
}

TEST_F(SendTurnsTest, OneThatIsCancelledInTheMiddleGivesItsTurnToTheNext) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        auto first = create_task(send_letters(a, 'a', large));
        auto second = create_task(send_letters(a, 'b', large));
        auto third = create_task(send_letters(a, 'c', large));
        co_await sleep(0s);
        std::size_t received = 0;
        while (received < large / 2) {  // so that it has gone on more than once
            std::string data = co_await sock_recv(b, 10'000);
            received += data.size();
        }
        first.cancel();
        third.cancel();
        auto receiving = create_task(runs_received(b));
        co_await second;
        EXPECT_TRUE(first.cancelled());
        EXPECT_TRUE(third.cancelled());
        a.close();
        std::string runs = co_await std::move(receiving);
        std::size_t begin = runs.find('b');
        EXPECT_EQ(runs.substr(begin), "b1500000");
        EXPECT_EQ(runs.find(' '), begin - 1) << runs;
    });
}

TEST_F(SendTurnsTest, AnErrorOrAClosedSocketIsToldToAllOfThem) {
    run_net([]() -> Coro<> {
        for (bool closes : {false, true}) {
            auto pair = socketpair();
            auto& [a, b] = pair;
            LetterFile file('b', large);
            std::string errors;
            auto send = [&](char letter) -> Coro<> {
                try {
                    co_await send_letters(a, letter, large);
                } catch (const OSError& error) {
                    errors += std::string(1, letter) + std::to_string(error.errno_value()) + " ";
                }
            };
            auto send_file = [&]() -> Coro<> {
                try {
                    co_await sock_sendfile(a, file.fd, 0, std::nullopt, {.fallback = false});
                } catch (const SendfileNotAvailableError&) {
                    errors += "b ";
                }
            };
            auto first = create_task(send('a'));
            auto second = create_task(send_file());
            auto third = create_task(send('c'));
            co_await sleep(0s);
            std::size_t received = 0;
            while (received < large / 2) {
                std::string data = co_await sock_recv(b, 10'000);
                received += data.size();
            }
            if (closes) {
                a.close();
            } else {
                b.close();
            }
            co_await first;
            co_await second;
            co_await third;
            std::string number = std::to_string(closes ? EBADF : EPIPE);
            if (!closes && errors.starts_with("a104")) number = "104";  // ECONNRESET is told once
            EXPECT_EQ(errors, "a" + number + " b c" + std::to_string(closes ? EBADF : EPIPE) + " ");
        }
    });
}

TEST_F(SendTurnsExecutorTest, FilesAreSentWholeAmongOthersInTheOrderInWhichTheyCame) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        LetterFile file('b', large);
        LetterPipe read_by_us('c', 60'000);
        LetterFile last('e', large);
        std::vector<Task<>> sending;
        auto send_file = [&](int fd, std::size_t expected) -> Coro<> {
            std::size_t size = co_await sock_sendfile(a, fd);
            EXPECT_EQ(size, expected);
        };
        sending.push_back(create_task(send_letters(a, 'a', large)));
        sending.push_back(create_task(send_file(file.fd, large)));
        sending.push_back(create_task(send_file(read_by_us.fd, 60'000)));
        sending.push_back(create_task(send_letters(a, 'd', large)));
        sending.push_back(create_task(send_file(last.fd, large)));
        sending.push_back(create_task(send_letters(a, 'f', 10)));
        auto receiving = create_task(runs_received(b));
        for (Task<>& task : sending) {
            co_await task;
        }
        a.close();
        std::string runs = co_await std::move(receiving);
        EXPECT_EQ(runs, "a1500000 b1500000 c60000 d1500000 e1500000 f10");
    });
}

TEST_F(SendTurnsExecutorTest, WhatIsReadOnAThreadKeepsItsPlaceBetweenItsBlocks) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        int fds[2];
        EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
        std::string blocks = "xy";
        auto send_pipe = [&]() -> Coro<> {
            std::size_t size = co_await sock_sendfile(a, fds[0]);
            EXPECT_EQ(size, 120'000u);
        };
        auto filing = create_task(send_pipe());
        for (int i = 0; i < 3; ++i) {
            co_await sleep(1ms);  // it reads, and there is room
        }
        auto other = create_task(send_letters(a, 'z', 10));
        for (char letter : blocks) {
            std::string block(60'000, letter);
            for (std::size_t sent = 0; sent < block.size();) {  // an io_uring may interrupt a write that has to wait
                ssize_t size = ::write(fds[1], block.data() + sent, block.size() - sent);
                if (size < 0) break;
                sent += static_cast<std::size_t>(size);
            }
            for (int i = 0; i < 10; ++i) {
                co_await sleep(1ms);
            }
            EXPECT_FALSE(other.done());
        }
        ::close(fds[1]);
        auto receiving = create_task(runs_received(b));
        co_await filing;
        co_await other;
        ::close(fds[0]);
        a.close();
        std::string runs = co_await std::move(receiving);
        EXPECT_EQ(runs, "x60000 y60000 z10");
    });
}

TEST_F(SendTurnsExecutorTest, AFileThatIsCancelledWhileItIsReadGivesItsPlaceToTheNext) {
    run_net([]() -> Coro<> {
        auto pair = socketpair();
        auto& [a, b] = pair;
        int fds[2];
        EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
        auto send_pipe = [&]() -> Coro<> { co_await sock_sendfile(a, fds[0]); };
        auto filing = create_task(send_pipe());
        co_await sleep(1ms);
        auto other = create_task(send_letters(a, 'z', 10));
        co_await sleep(1ms);
        EXPECT_FALSE(other.done());
        filing.cancel();
        co_await other;
        EXPECT_TRUE(filing.cancelled());
        ::close(fds[1]);  // the thread's read ends
        a.close();
        std::string runs = co_await runs_received(b);
        EXPECT_EQ(runs, "z10");
        co_await get_running_loop().shutdown_default_executor();
        ::close(fds[0]);
    });
}

}  // namespace
