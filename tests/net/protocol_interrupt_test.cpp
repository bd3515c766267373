// KeyboardInterrupt out of the protocols of pipes and datagrams: it leaves the loop, and what is left goes on.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "net/net_support.h"

namespace asyncio {
namespace {

class ProtocolInterruptTest : public support::NetTest {};

/// Runs the task to its end, however often it is interrupted; how often that was.
int interrupts_of(EventLoop& loop, const Task<>& task) {
    int interrupts = 0;
    while (!task.done()) {
        try {
            loop.run_until_complete(task);
        } catch (const KeyboardInterrupt&) {
            ++interrupts;
        }
    }
    task.result();
    return interrupts;
}

class InterruptsTheBeginning : public Protocol {
public:
    void connection_made(Transport) override { throw KeyboardInterrupt(); }
};

TEST_F(ProtocolInterruptTest, APipeThatHasBegunIsGivenAllTheSame) {
    EventLoop loop;
    auto connect = []() -> Coro<> {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe(ends), 0);
        auto factory = [] { return InterruptsTheBeginning(); };
        auto reader = co_await wait_for(connect_read_pipe(factory, ends[0]), Seconds(10));
        EXPECT_TRUE(reader.transport.is_reading());
        auto writer = co_await wait_for(connect_write_pipe(factory, ends[1]), Seconds(10));
        writer.transport.close();
        reader.transport.close();
        co_await sleep(0);
    };
    EXPECT_EQ(interrupts_of(loop, loop.create_task(connect())), 2);
}

template <class Base>
class InterruptsTheResuming : public Base {
public:
    explicit InterruptsTheResuming(bool* lost) : lost_(lost) {}
    void resume_writing() override { throw KeyboardInterrupt(); }
    void connection_lost(std::exception_ptr) override { *lost_ = true; }

private:
    bool* lost_;
};

void read_all(int fd) {
    char bytes[65536];
    while (::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

TEST_F(ProtocolInterruptTest, AClosingPipeThatIsSentComesToItsEnd) {
    EventLoop loop;
    auto write = []() -> Coro<> {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        bool lost = false;
        auto factory = [&] { return InterruptsTheResuming<Protocol>(&lost); };
        auto writer = co_await connect_write_pipe(factory, ends[0]);
        writer.transport.write(std::string(1 << 20, 'x'));
        writer.transport.close();
        while (!lost) {
            read_all(ends[1]);
            co_await sleep(0.001);
        }
        ::close(ends[1]);
    };
    EXPECT_EQ(interrupts_of(loop, loop.create_task(write())), 1);
}

TEST_F(ProtocolInterruptTest, AClosingEndpointWhoseDatagramsAreSentComesToItsEnd) {
    EventLoop loop;
    auto send = []() -> Coro<> {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
        Socket mine = Socket::from_fd(ends[0]);
        bool lost = false;
        auto factory = [&] { return InterruptsTheResuming<DatagramProtocol>(&lost); };
        auto endpoint = co_await create_datagram_endpoint(factory, {.sock = &mine});
        endpoint.transport.set_write_buffer_limits({.high = 10});
        for (int i = 0; endpoint.transport.get_write_buffer_size() < 1000 && i < 10'000; ++i) {
            endpoint.transport.sendto(std::string(100, 'x'));
        }
        endpoint.transport.close();
        while (!lost) {
            read_all(ends[1]);
            co_await sleep(0.001);
        }
        ::close(ends[1]);
    };
    EXPECT_EQ(interrupts_of(loop, loop.create_task(send())), 1);
}

}  // namespace
}  // namespace asyncio
