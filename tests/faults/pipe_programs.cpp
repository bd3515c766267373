// Programs about pipes and ready descriptors.
#include <asyncio/asyncio.h>

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Both ends, if the system has any.
class Pipe {
public:
    Pipe() {
        if (::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) throw OSError(errno);
    }
    ~Pipe() {
        for (int fd : ends_) {
            if (fd >= 0) ::close(fd);
        }
    }
    Pipe(const Pipe&) = delete;
    int reader() const { return ends_[0]; }
    int writer() const { return ends_[1]; }
    int give_reader() { return std::exchange(ends_[0], -1); }
    int give_writer() { return std::exchange(ends_[1], -1); }

private:
    int ends_[2] = {-1, -1};
};

void write_one_byte(int fd) {
    if (::write(fd, "x", 1) != 1) throw OSError(errno);
}

Coro<> wait_for_one_byte(int fd) {
    char byte = 0;
    while (::read(fd, &byte, 1) != 1) {
        if (errno != EAGAIN) throw OSError(errno);
        co_await readable(fd);
    }
    expect(byte == 'x', "the byte that was written");
}

Coro<> a_descriptor_is_waited_for() {
    Pipe pipe;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 2; ++i) tasks.push_back(create_task(wait_for_one_byte(pipe.reader())));
    co_await sleep(1ms);
    write_one_byte(pipe.writer());
    co_await wait(tasks, {.return_when = FIRST_COMPLETED});
    for (Task<>& task : tasks) task.cancel();
    co_await wait(tasks);
    co_await writable(pipe.writer());
}

struct Told {
    std::string data;
    Event over;
};

class Noting : public Protocol {
public:
    explicit Noting(std::shared_ptr<Told> told) : told_(std::move(told)) {}
    void data_received(std::string_view data) override { told_->data += data; }
    void connection_lost(std::exception_ptr) override { told_->over.set(); }

private:
    std::shared_ptr<Told> told_;
};

Coro<> a_pipe_is_written_and_read() {
    constexpr std::size_t much = 300'000;
    auto reading = std::make_shared<Told>();
    auto writing = std::make_shared<Told>();
    auto reading_factory = [reading] { return Noting(reading); };
    auto writing_factory = [writing] { return Noting(writing); };
    Pipe pipe;
    auto reader = co_await connect_read_pipe(reading_factory, pipe.give_reader());
    auto writer = co_await connect_write_pipe(writing_factory, pipe.give_writer());
    writer.transport.write(std::string(much, 'x'));
    writer.transport.close();
    co_await reading->over.wait();
    co_await writing->over.wait();
    expect(reading->data.size() <= much, "no more than was written");
    reader.transport.close();
}

Coro<> a_reader_of_a_pipe_goes() {
    auto writing = std::make_shared<Told>();
    auto factory = [writing] { return Noting(writing); };
    Pipe pipe;
    auto writer = co_await connect_write_pipe(factory, pipe.give_writer());
    writer.transport.write(std::string(300'000, 'x'));
    ::close(pipe.give_reader());
    co_await writing->over.wait();
    writer.transport.write("in vain");
}

Coro<> a_stream_of_a_pipe_is_full() {
    constexpr std::size_t much = 40;
    StreamReader reader({.limit = 4});
    auto factory = [&] { return StreamReaderProtocol(reader); };
    auto [one, other] = socketpair();  // who writes to it hears by no signal that it was lost
    auto connected = co_await connect_read_pipe(factory, one.detach());
    std::size_t size = 0;
    for (int i = 0; i < 2; ++i) {
        co_await sock_sendall(other, std::string(much, 'x'));
        co_await sleep(1ms);
        std::string data = co_await reader.readexactly(much);
        size += data.size();
    }
    expect(size == 2 * much, "all that was written");
}

/// While it lives another file has this number.
class Replaced {
public:
    Replaced(int fd, int by) : fd_(fd), former_(::dup(fd)) { ::dup2(by, fd); }
    ~Replaced() {
        former_ < 0 ? ::close(fd_) : ::dup2(former_, fd_);
        if (former_ >= 0) ::close(former_);
    }
    Replaced(const Replaced&) = delete;

private:
    int fd_;
    int former_;
};

Coro<> standard_input_is_a_terminal() {
    int ends[2];
    if (::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) != 0) throw OSError(errno);
    Replaced input(STDIN_FILENO, ends[1]);
    ::close(ends[1]);
    struct Closing {
        int fd;
        ~Closing() { ::close(fd); }
    } closing{ends[0]};
    StreamReader reader = co_await stdin_stream();
    if (::write(ends[0], "hello\n", 6) != 6) throw OSError(errno);
    std::string line = co_await reader.readline();
    expect(line == "hello\n" || calls_may_fail(), "the line that was typed");
}

Coro<> standard_output_is_a_pipe() {
    Pipe pipe;
    Replaced output(STDOUT_FILENO, pipe.writer());
    StreamWriter writer = co_await stdout_stream();
    writer.write("hello");
    co_await writer.drain();
    writer.close();
    co_await writer.wait_closed();
    char text[10];
    ssize_t size = ::read(pipe.reader(), text, sizeof text);
    while (size < 0 && errno == EINTR) size = ::read(pipe.reader(), text, sizeof text);
    expect(size == 5 || calls_may_fail(), "what was written");
}

}  // namespace

std::vector<Program> pipe_programs() {
    return {
        {.name = "ADescriptorIsWaitedFor", .main = a_descriptor_is_waited_for},
        {.name = "APipeIsWrittenAndRead", .main = a_pipe_is_written_and_read},
        {.name = "AReaderOfAPipeGoes", .main = a_reader_of_a_pipe_goes},
        {.name = "AStreamOfAPipeIsFull", .main = a_stream_of_a_pipe_is_full},
        {.name = "StandardInputIsATerminal", .main = standard_input_is_a_terminal, .real_time = true},
        {.name = "StandardOutputIsAPipe", .main = standard_output_is_a_pipe},
    };
}

}  // namespace faults
