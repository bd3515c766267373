// sendfile() over a transport.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "net/protocol_support.h"
#include "net/stream_support.h"

namespace asyncio {
namespace {

using support::run_net;

class TransportSendfileExecutorTest : public support::NetTest {};  // the fallback reads on a thread

/// A file with this content.
class File {
public:
    explicit File(const std::string& content) : fd(::memfd_create("test", MFD_CLOEXEC)) {
        EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        ::lseek(fd, 0, SEEK_SET);
    }
    ~File() { ::close(fd); }
    File(const File&) = delete;
    std::size_t position() const { return static_cast<std::size_t>(::lseek(fd, 0, SEEK_CUR)); }
    int fd;
};

/// A pipe that will have this content, which the kernel cannot send as a file.
class Pipe {
public:
    explicit Pipe(std::string content) {
        EXPECT_EQ(::pipe(fds_), 0);
        thread_ = std::thread([fd = fds_[1], content = std::move(content)] {
            sigset_t sigpipe;  // the other end may be closed before
            sigemptyset(&sigpipe);
            sigaddset(&sigpipe, SIGPIPE);
            ::pthread_sigmask(SIG_BLOCK, &sigpipe, nullptr);
            std::size_t begin = 0;
            ssize_t size = 1;
            while (size > 0 && begin < content.size()) {
                size = ::write(fd, content.data() + begin, content.size() - begin);
                begin += static_cast<std::size_t>(size);
            }
            ::close(fd);
        });
    }
    ~Pipe() {
        ::close(fds_[0]);
        thread_.join();
    }
    Pipe(const Pipe&) = delete;
    int fd() const { return fds_[0]; }

private:
    int fds_[2] = {};
    std::thread thread_;
};

const std::string& content() {
    static const std::string text = [] {
        std::string lines;
        while (lines.size() < 2'000'000) lines += "12345abcde\n";
        return lines;
    }();
    return text;
}

/// More than the kernel keeps on the way.
const std::string& large_content() {
    static const std::string text(32'000'000, 'x');
    return text;
}

/// What the RuntimeError says.
template <class Call>
std::string refusal(Call call) {
    try {
        call();
    } catch (const RuntimeError& error) {
        return error.what();
    }
    return "nothing";
}

/// Collects what comes; closes when it has so much.
class Sink : public Protocol {
public:
    explicit Sink(std::size_t close_after = SIZE_MAX)
        : done(get_running_loop().create_future<void>()), close_after_(close_after) {}
    void connection_made(Transport its_transport) override { transport = std::move(its_transport); }
    void data_received(std::string_view data) override {
        received += data;
        if (received.size() >= close_after_) transport.close();
    }
    void connection_lost(std::exception_ptr) override { done.set_result(); }
    Transport transport;
    std::string received;
    Future<> done;

private:
    std::size_t close_after_;
};

/// A client that sends to a server, both protocols.
struct Pair {
    ProtocolRef<Sink> server;
    ProtocolRef<Sink> client;
};

Coro<Pair> connect_pair(std::size_t close_after = SIZE_MAX) {
    Pair pair;
    pair.server = make_protocol<Sink>(close_after);
    Server server = co_await create_server([&] { return pair.server; }, "127.0.0.1", 0);
    auto made = co_await create_connection([] { return Sink(); }, "127.0.0.1", support::port_of(server));
    pair.client = made.protocol;
    made.transport.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_SNDBUF, 16384);
    made.transport.set_write_buffer_limits({.high = 1024, .low = 512});
    while (!pair.server->transport) co_await sleep(0);
    server.close();
    co_return pair;
}

Coro<> close_pair(Pair pair) {
    pair.client->transport.close();
    co_await pair.server->done;
    co_await pair.client->done;
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile
// CPython: test_sendfile.py, SendfileMixin.test_sendfile_pre_and_post_data
TEST_F(TransportSendfileExecutorTest, SendsAWholeFileBetweenOtherThings) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair();
        std::string before(8192 * 4, 'b');
        std::string after(8192 * 4, 'a');
        pair.client->transport.write(before);
        std::size_t size = co_await sendfile(pair.client->transport, file.fd);
        EXPECT_EQ(size, content().size());
        EXPECT_EQ(file.position(), content().size());
        pair.client->transport.write(after);
        co_await close_pair(pair);
        EXPECT_TRUE(pair.server->received == before + content() + after);
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_force_fallback
TEST_F(TransportSendfileExecutorTest, ReadsWhatTheKernelCannotSend) {
    run_net([]() -> Coro<> {
        Pipe pipe(content());
        Pair pair = co_await connect_pair();
        std::size_t size = co_await sendfile(pair.client->transport, pipe.fd());
        EXPECT_EQ(size, content().size());
        co_await close_pair(pair);
        EXPECT_TRUE(pair.server->received == content());
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_force_unsupported_native
TEST_F(TransportSendfileExecutorTest, SaysThatTheKernelCannotIfThatIsWanted) {
    run_net([]() -> Coro<> {
        Pipe pipe("x");
        Pair pair = co_await connect_pair();
        bool failed = false;
        try {
            co_await sendfile(pair.client->transport, pipe.fd(), 0, std::nullopt, {.fallback = false});
        } catch (const SendfileNotAvailableError&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
        EXPECT_TRUE(pair.client->transport.is_reading());
        pair.client->transport.write("and it goes on");
        co_await close_pair(pair);
        EXPECT_EQ(pair.server->received, "and it goes on");
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_for_closing_transp
TEST_F(TransportSendfileExecutorTest, RefusesATransportThatIsClosing) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair();
        pair.client->transport.close();
        std::string said;
        try {
            co_await sendfile(pair.client->transport, file.fd);
        } catch (const RuntimeError& error) {
            said = error.what();
        }
        EXPECT_EQ(said, "Transport is closing");
        co_await close_pair(pair);
        EXPECT_EQ(pair.server->received, "");
        EXPECT_EQ(file.position(), 0u);
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_partial
TEST_F(TransportSendfileExecutorTest, SendsAPart) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair();
        std::size_t size = co_await sendfile(pair.client->transport, file.fd, 1000, 100);
        EXPECT_EQ(size, 100u);
        EXPECT_EQ(file.position(), 1100u);
        co_await close_pair(pair);
        EXPECT_EQ(pair.server->received, content().substr(1000, 100));
    });
}

// CPython: test_sendfile.py, SockSendfileMixin.test_sendfile_offset
TEST_F(TransportSendfileExecutorTest, BeginsAnywhere) {
    run_net([]() -> Coro<> {
        for (std::size_t offset : {std::size_t{0}, content().size() / 2, content().size()}) {
            for (bool fallback : {false, true}) {
                File file(content());
                Pair pair = co_await connect_pair();
                std::size_t size = co_await sendfile(pair.client->transport, file.fd, static_cast<std::int64_t>(offset),
                                                     std::nullopt, {.fallback = fallback});
                EXPECT_EQ(size, content().size() - offset);
                co_await close_pair(pair);
                EXPECT_TRUE(pair.server->received == content().substr(offset));
            }
        }
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_close_peer_after_receiving
TEST_F(TransportSendfileExecutorTest, ThePeerMayCloseWhenItHasAll) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair(content().size());
        std::size_t size = co_await sendfile(pair.client->transport, file.fd);
        EXPECT_EQ(size, content().size());
        co_await close_pair(pair);
        EXPECT_TRUE(pair.server->received == content());
        EXPECT_EQ(file.position(), content().size());
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_close_peer_in_the_middle_of_receiving
TEST_F(TransportSendfileExecutorTest, ThrowsIfThePeerClosesBefore) {
    run_net([]() -> Coro<> {
        File file(large_content());
        Pair pair = co_await connect_pair(1024);
        std::exception_ptr error;
        try {
            co_await sendfile(pair.client->transport, file.fd);
        } catch (...) {
            error = std::current_exception();
        }
        EXPECT_TRUE(exception_cast<ConnectionError>(error)) << repr(error);
        co_await pair.server->done;
        EXPECT_GE(pair.server->received.size(), 1024u);
        EXPECT_LT(pair.server->received.size(), large_content().size());
        EXPECT_GE(file.position(), 1024u);
        EXPECT_LT(file.position(), large_content().size());
        co_await pair.client->done;
        EXPECT_TRUE(pair.client->transport.is_closing());
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_fallback_close_peer_in_the_middle_of_receiving
TEST_F(TransportSendfileExecutorTest, TheFallbackThrowsIfThePeerClosesBefore) {
    run_net([]() -> Coro<> {
        Pipe pipe(large_content());
        Pair pair = co_await connect_pair(1024);
        std::exception_ptr error;
        try {
            co_await sendfile(pair.client->transport, pipe.fd());
        } catch (...) {
            error = std::current_exception();
        }
        EXPECT_TRUE(exception_cast<ConnectionError>(error)) << repr(error);
        co_await pair.server->done;
        EXPECT_GE(pair.server->received.size(), 1024u);
        EXPECT_LT(pair.server->received.size(), large_content().size());
        co_await pair.client->done;
    });
}

// CPython: test_sendfile.py, SendfileMixin.test_sendfile_prevents_bare_write
TEST_F(TransportSendfileExecutorTest, NobodyWritesMeanwhile) {
    run_net([]() -> Coro<> {
        std::size_t most = 10'000'000;
        File file(large_content().substr(0, most));
        Pair pair = co_await connect_pair();
        pair.server->transport.pause_reading();
        auto sending = create_task(sendfile(pair.client->transport, file.fd));
        co_await sleep(0);
        std::vector<std::string> lines = {"data"};
        EXPECT_EQ(refusal([&] { pair.client->transport.write("data"); }), "unable to write; sendfile is in progress");
        EXPECT_EQ(refusal([&] { pair.client->transport.writelines(lines); }),
                  "unable to writelines; sendfile is in progress");
        EXPECT_FALSE(pair.client->transport.is_reading());
        pair.server->transport.resume_reading();
        std::size_t size = co_await sending;
        EXPECT_EQ(size, most);
        EXPECT_TRUE(pair.client->transport.is_reading());
        co_await close_pair(pair);
    });
}

TEST_F(TransportSendfileExecutorTest, IsGivenUpWhenItsTaskIsCancelled) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair();
        pair.server->transport.pause_reading();
        std::string before(4'000'000, 'b');
        pair.client->transport.write(before);
        auto sending = create_task(sendfile(pair.client->transport, file.fd));
        co_await sleep(0);
        co_await sleep(0);
        sending.cancel();
        co_await wait(sending);
        EXPECT_TRUE(sending.cancelled());
        pair.client->transport.write("after");
        pair.server->transport.resume_reading();
        co_await close_pair(pair);
        EXPECT_TRUE(pair.server->received == before + "after");
    });
}

TEST_F(TransportSendfileExecutorTest, ThrowsIfTheConnectionIsLostBeforeItsTurn) {
    run_net([]() -> Coro<> {
        File file(content());
        Pair pair = co_await connect_pair();
        pair.server->transport.pause_reading();
        pair.client->transport.write(std::string(4'000'000, 'b'));
        auto sending = create_task(sendfile(pair.client->transport, file.fd));
        co_await sleep(0);
        co_await sleep(0);
        pair.client->transport.abort();
        co_await wait(sending);
        EXPECT_TRUE(exception_cast<ConnectionError>(sending.exception()));
        pair.server->transport.resume_reading();
        co_await close_pair(pair);
    });
}

}  // namespace
}  // namespace asyncio
