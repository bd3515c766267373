#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "net/net_support.h"
#include "net/pipe_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::sleep;
using support::NetTest;
using support::PipeEnds;
using support::run_net;

namespace {

using StandardStreams = NetTest;

bool blocks(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

/// Another file takes the place of a standard one.
class Instead {
public:
    Instead(int standard, int fd) : standard_(standard), former_(::dup(standard)) {
        std::fflush(stdout);
        ::dup2(fd, standard);
    }
    ~Instead() {
        ::dup2(former_, standard_);
        ::close(former_);
    }
    Instead(const Instead&) = delete;

private:
    int standard_;
    int former_;
};

/// A file without a name.
class Text {
public:
    explicit Text(const std::string& text = "") : file_(std::tmpfile()) {
        ::fcntl(fd(), F_SETFD, FD_CLOEXEC);
        EXPECT_EQ(::write(fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::lseek(fd(), 0, SEEK_SET);
    }
    ~Text() { std::fclose(file_); }
    Text(const Text&) = delete;
    int fd() const { return ::fileno(file_); }
    std::string content() const {
        std::string text(1'000'000, '\0');
        text.resize(static_cast<std::size_t>(::pread(fd(), text.data(), text.size(), 0)));
        return text;
    }

private:
    std::FILE* file_;
};

/// A pseudo-terminal, in which nothing is translated.
class Terminal {
public:
    Terminal() {
        EXPECT_EQ(::openpty(&outside_, &inside_, nullptr, nullptr, nullptr), 0);
        termios mode = {};
        ::tcgetattr(inside_, &mode);
        mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
        mode.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(inside_, TCSANOW, &mode);
    }
    ~Terminal() {
        ::close(inside_);
        ::close(outside_);
    }
    Terminal(const Terminal&) = delete;
    int inside() const { return inside_; }
    int outside() const { return outside_; }
    std::string shown() const {
        std::string text(100, '\0');
        text.resize(static_cast<std::size_t>(::read(outside_, text.data(), text.size())));
        return text;
    }
    void type(const std::string& text) const {
        EXPECT_EQ(::write(outside_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

private:
    int outside_ = -1;
    int inside_ = -1;
};

Coro<std::string> all_of_stdin() {
    StreamReader reader = co_await stdin_stream();
    std::string all = co_await reader.read();
    co_return all;
}

TEST_F(StandardStreams, InputIsAPipe) {
    PipeEnds pipe(0);
    Instead instead(STDIN_FILENO, pipe.reader());
    run_net([&]() -> Coro<> {
        StreamReader reader = co_await stdin_stream();
        EXPECT_TRUE(blocks(pipe.reader()));  // others who have the pipe see nothing of it
        pipe.write("first\nsec");
        std::string line = co_await reader.readline();
        EXPECT_EQ(line, "first\n");
        pipe.write("ond\nlast");
        pipe.close_writer();
        line = co_await reader.readline();
        EXPECT_EQ(line, "second\n");
        line = co_await reader.readline();
        EXPECT_EQ(line, "last");
        line = co_await reader.readline();
        EXPECT_EQ(line, "");
    });
    EXPECT_TRUE(blocks(pipe.reader()));
}

TEST_F(StandardStreams, InputIsAFileAndItsPositionThatOfAll) {
    std::string lines;
    for (int i = 0; i < 100'000; ++i) lines += std::to_string(i) + "\n";
    Text text("skipped\n" + lines);
    ::lseek(text.fd(), 8, SEEK_SET);
    Instead instead(STDIN_FILENO, text.fd());
    EXPECT_EQ(run_net([] { return all_of_stdin(); }), lines);
    EXPECT_EQ(::lseek(text.fd(), 0, SEEK_CUR), static_cast<off_t>(lines.size() + 8));
}

TEST_F(StandardStreams, WhileAFileIsReadOthersHaveTheirTurn) {
    Text text(std::string(2'000'000, 'x'));
    Instead instead(STDIN_FILENO, text.fd());
    run_net([]() -> Coro<> {
        int turns = 0;
        Task<> other = create_task(
            [](int& count) -> Coro<> {
                while (true) {
                    ++count;
                    co_await sleep(0s);
                }
            },
            std::ref(turns));
        std::string all = co_await all_of_stdin();
        EXPECT_EQ(all.size(), 2'000'000u);
        EXPECT_GE(turns, 5);
        other.cancel();
    });
}

TEST_F(StandardStreams, InputIsTheNullDevice) {
    int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        Instead instead(STDIN_FILENO, null);
        EXPECT_EQ(run_net([] { return all_of_stdin(); }), "");
    }
    ::close(null);
}

TEST_F(StandardStreams, InputIsASocketAndBlocksAgainAtTheEnd) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    {
        Instead instead(STDIN_FILENO, ends[0]);
        EXPECT_EQ(::write(ends[1], "text", 4), 4);
        ::close(ends[1]);
        EXPECT_EQ(run_net([] { return all_of_stdin(); }), "text");
        EXPECT_TRUE(blocks(ends[0]));
    }
    ::close(ends[0]);
}

TEST_F(StandardStreams, InputIsATerminalWhichNeverStopsToBlock) {
    Terminal terminal;
    Instead instead(STDIN_FILENO, terminal.inside());
    run_net([&]() -> Coro<> {
        StreamReader reader = co_await stdin_stream();
        get_running_loop().call_later(2ms, [&] { terminal.type("typed\n"); });
        auto line = co_await reader.next();
        EXPECT_EQ(line.value_or("nothing"), "typed\n");
        EXPECT_TRUE(blocks(terminal.inside()));
        terminal.type("\4");  // Ctrl-D
        line = co_await reader.next();
        EXPECT_FALSE(line.has_value());
    });
    EXPECT_TRUE(blocks(terminal.inside()));
}

TEST_F(StandardStreams, WhoLetsGoOfInputReadsNoMore) {
    PipeEnds pipe;
    Instead instead(STDIN_FILENO, pipe.reader());
    run_net([&]() -> Coro<> {
        {
            StreamReader reader = co_await stdin_stream();
            pipe.write("mine");
            std::string mine = co_await reader.read(4);
            EXPECT_EQ(mine, "mine");
        }
        pipe.write("somebody else's");
        co_await sleep(5ms);
        EXPECT_EQ(pipe.read(), "somebody else's");
    });
}

TEST_F(StandardStreams, OutputIsAPipeAFileOrNothing) {
    for (int kind : {0, 1, 2, 3}) {
        PipeEnds pipe(0);
        Text text;
        int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        Terminal terminal;
        int fds[] = {pipe.writer(), text.fd(), null, terminal.inside()};
        {
            Instead instead(STDOUT_FILENO, fds[kind]);
            run_net([]() -> Coro<> {
                StreamWriter writer = co_await stdout_stream();
                writer.write("one line\n");
                co_await writer.drain();
                writer.close();
                co_await writer.wait_closed();
            });
        }
        EXPECT_TRUE(blocks(fds[kind]));
        std::string got;
        if (kind == 0) got = pipe.read();
        if (kind == 1) got = text.content();
        if (kind == 3) got = terminal.shown();
        EXPECT_EQ(got, kind == 2 ? "" : "one line\n");
        ::close(null);
    }
}

TEST_F(StandardStreams, OutputThatFindsNoRoomIsDrained) {
    PipeEnds pipe;
    Instead instead(STDOUT_FILENO, pipe.writer());
    run_net([&]() -> Coro<> {
        StreamWriter writer = co_await stdout_stream();
        std::string text(1'000'000, 'x');
        std::size_t got = 0;
        Task<> reading = create_task([&]() -> Coro<> {
            while (got < text.size()) {
                co_await readable(pipe.reader());
                got += pipe.read().size();
            }
        });
        writer.write(text);
        EXPECT_GT(writer.get_write_buffer_size(), 100'000u);
        co_await writer.drain();
        writer.close();
        co_await writer.wait_closed();
        co_await reading;
    });
}

TEST_F(StandardStreams, WhoWritesToNobodyIsTold) {
    PipeEnds pipe;
    Instead instead(STDOUT_FILENO, pipe.writer());
    bool told = false;
    run_net([&]() -> Coro<> {
        StreamWriter writer = co_await stdout_stream();
        pipe.close_reader();
        try {
            for (int i = 0; i < 10; ++i) {
                writer.write("in vain");
                co_await writer.drain();
            }
        } catch (const ConnectionError&) {
            told = true;
        }
    });
    EXPECT_TRUE(told);
}

/// A child on a pseudo-terminal of its own, with the other side of that.
struct Shell {
    int terminal = -1;
    pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
};

TEST_F(StandardStreams, AShellOnAPseudoTerminalIsSpokenTo) {
    Shell shell;
    if (shell.child == 0) {
        ::setenv("PS1", "", 1);
        ::execl("/bin/sh", "sh", nullptr);
        ::_exit(127);
    }
    std::string said = run_net([&]() -> Coro<std::string> {
        StreamReader reader{StreamReaderOptions()};
        auto factory = [&] { return StreamReaderProtocol(reader); };
        auto silent = [] { return Protocol(); };
        int write_end = ::dup(shell.terminal);
        co_await connect_read_pipe(factory, shell.terminal);
        auto writer = co_await connect_write_pipe(silent, write_end);
        writer.transport.write("stty -echo; echo begin-$((20+3))-end; exit\n");
        std::string all;
        try {
            while (true) {
                std::string some = co_await reader.read(1000);
                if (some.empty()) break;
                all += some;
            }
        } catch (const OSError& error) {
            EXPECT_EQ(error.errno_value(),
                      EIO);  // so a terminal's end is told, in Python, too
        }
        co_return all;
    });
    EXPECT_NE(said.find("begin-23-end"), std::string::npos) << said;
    ::waitpid(shell.child, nullptr, 0);
}

}  // namespace
