#include <asyncio/net/sock.h>

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/net_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::NetTest;
using support::run_net;

namespace {

using DatagramTest = NetTest;

Socket bound() {
    Socket socket(AddressFamily::INET, SocketKind::DGRAM);
    socket.bind(SocketAddress("127.0.0.1", 0));
    return socket;
}

/// Sends each datagram back to where it came from.
Coro<> echo(const Socket& server, int count) {
    for (int i = 0; i < count; ++i) {
        ReceivedFrom received = co_await sock_recvfrom(server, 65536);
        std::size_t size = co_await sock_sendto(server, received.data, received.address);
        EXPECT_EQ(size, received.data.size());
    }
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_recvfrom
TEST_F(DatagramTest, ComeBackFromAnEchoServerWithItsAddress) {
    run_net([]() -> Coro<> {
        Socket server = bound();
        auto serving = create_task(echo(server, 2));
        Socket client(AddressFamily::INET, SocketKind::DGRAM);
        std::string data(4096, '\1');
        std::size_t size = co_await sock_sendto(client, data, server.getsockname());
        EXPECT_EQ(size, 4096u);
        ReceivedFrom received = co_await sock_recvfrom(client, 4096);
        EXPECT_EQ(received.data, data);
        EXPECT_EQ(received.address, server.getsockname());
        co_await sock_sendto(client, "longer", server.getsockname());
        received = co_await sock_recvfrom(client, 4);
        EXPECT_EQ(received.data, "long");
        co_await serving;
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_recvfrom_into
TEST_F(DatagramTest, AreReceivedIntoABufferOrItsBeginning) {
    run_net([]() -> Coro<> {
        Socket server = bound();
        auto serving = create_task(echo(server, 2));
        Socket client(AddressFamily::INET, SocketKind::DGRAM);
        std::string data(4096, '\1');
        std::vector<unsigned char> buffer(4096);
        co_await sock_sendto(client, data, server.getsockname());
        ReceivedFromInto received = co_await sock_recvfrom_into(client, buffer);
        EXPECT_EQ(received.size, 4096u);
        EXPECT_EQ(buffer, std::vector<unsigned char>(4096, 1));
        EXPECT_EQ(received.address, server.getsockname());
        buffer.assign(8192, 0);
        co_await sock_sendto(client, data, server.getsockname());
        received = co_await sock_recvfrom_into(client, buffer, 4096);
        EXPECT_EQ(received.size, 4096u);
        EXPECT_EQ(buffer[4095], 1);
        EXPECT_EQ(buffer[4096], 0);
        co_await serving;
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_recvfrom_into_wrong_size
TEST_F(DatagramTest, ABufferThatIsSmallerThanWhatIsWantedIsRefusedAndTheDatagramStays) {
    run_net([]() -> Coro<> {
        Socket receiver = bound();
        Socket sender = bound();
        std::vector<char> buffer(5000);
        co_await sock_sendto(sender, "data", receiver.getsockname());
        try {
            co_await sock_recvfrom_into(receiver, buffer, buffer.size() + 1);
            ADD_FAILURE();
        } catch (const ValueError&) {
            EXPECT_EQ(caught(), "ValueError('nbytes is greater than the length of the buffer')");
        }
        ReceivedFromInto received = co_await sock_recvfrom_into(receiver, buffer);
        EXPECT_EQ(std::string(buffer.data(), received.size), "data");
    });
}

// CPython: test_sock_lowlevel.py, BaseSockTestsMixin.test_sendto_blocking
TEST_F(DatagramTest, ASendWaitsUntilTheReceiverHasRoom) {
    run_net([]() -> Coro<> {
        Socket a(AddressFamily::UNIX, SocketKind::DGRAM);
        Socket b(AddressFamily::UNIX, SocketKind::DGRAM);
        SocketAddress name =
            SocketAddress::unix_path(std::string(1, '\0') + "asyncio-dgram-" + std::to_string(::getpid()));
        b.bind(name);
        co_await sock_connect(a, name);
        while (support::send_now(a, "x") == 1) {
        }
        Socket other(AddressFamily::UNIX, SocketKind::DGRAM);
        auto connected = create_task(sock_sendall(a, std::string("last of a")));
        auto sending = create_task(sock_sendto(other, std::string("last of other"), name));
        co_await sleep(2ms);
        EXPECT_FALSE(connected.done());
        std::vector<std::string> last;
        while (last.size() < 2) {
            ReceivedFrom received = co_await sock_recvfrom(b, 100);
            if (received.data != "x") last.push_back(received.data);
        }
        co_await connected;
        co_await sending;
    });
}

TEST_F(DatagramTest, AnEmptyOneIsOneTooAndNobodyAtTheOtherEndIsAnError) {
    run_net([]() -> Coro<> {
        Socket receiver = bound();
        Socket sender = bound();
        std::size_t size = co_await sock_sendto(sender, "", receiver.getsockname());
        EXPECT_EQ(size, 0u);
        ReceivedFrom received = co_await sock_recvfrom(receiver, 0);
        EXPECT_EQ(received.data, "");
        EXPECT_EQ(received.address, sender.getsockname());

        co_await sock_connect(sender, receiver.getsockname());
        receiver.close();
        co_await sock_sendall(sender, "x");
        try {
            co_await sock_recv(sender, 10);
            ADD_FAILURE();
        } catch (const ConnectionRefusedError&) {
        }
    });
}

}  // namespace
