#include <gtest/gtest.h>

#include <sys/un.h>

#include <chrono>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

TEST_P(IoBackendTest, ASendThatFitsIsOverAtOnce) {
    Pair pair = tcp_pair();
    Send send(pair.first, "abc");
    EXPECT_TRUE(send.start(backend()));
    EXPECT_EQ(send.result, 3);
    IoBuffer parts[] = {{send.data, 1}, {send.data, 2}};
    send.gathers = true;
    send.data = parts;
    send.size = 2;
    EXPECT_TRUE(send.start(backend()));
    EXPECT_EQ(send.result, 3);
    EXPECT_EQ(pair.second.take(), "abcaab");
}

TEST_P(IoBackendTest, ASendWaitsForRoom) {
    for (bool tcp : {true, false}) {
        Pair pair = tcp ? tcp_pair() : unix_pair();
        fill(pair.first);
        Send send(pair.first, "abc");
        Send next(pair.first, "d");
        EXPECT_FALSE(send.start(backend()));
        EXPECT_FALSE(next.start(backend()));
        EXPECT_TRUE(names_nothing());
        for (int i = 0; i < 100 && wait().empty(); ++i) empty(pair.second);
        EXPECT_TRUE(send.reported);
        EXPECT_TRUE(send.finish());
        EXPECT_EQ(send.result, 3);
        EXPECT_TRUE(names(next));
        EXPECT_TRUE(next.finish());
        std::string left;
        while (left.size() < 4 || left.substr(left.size() - 4) != "abcd") left += pair.second.take(100'000);
    }
}

TEST_P(IoBackendTest, ASendThatWasCutShortWaitsForRoomForTheRest) {
    Pair pair = tcp_pair();
    Send send(pair.first, std::string(50'000'000, 'x'));
    std::size_t sent = 0;
    std::size_t received = 0;
    bool over = send.start(backend());
    ASSERT_TRUE(over);
    send.at_once = false;
    for (;;) {
        ASSERT_GT(send.result, 0);
        sent += static_cast<std::size_t>(send.result);
        if (sent == send.text.size()) break;
        send.data = send.text.data() + sent;
        send.size = send.text.size() - sent;
        EXPECT_FALSE(send.start(backend()));
        do {
            while (!send.reported) {
                received += empty(pair.second);
                wait(std::chrono::milliseconds(1));
            }
        } while (!send.finish());
    }
    while (received < sent) received += empty(pair.second);
    EXPECT_EQ(received, sent);
}

TEST_P(IoBackendTest, ASendToWhoIsGoneFailsAndRaisesNoSignal) {
    Pair pair = unix_pair();
    pair.second.close();
    Send send(pair.first, "abc");
    EXPECT_TRUE(send.start(backend()));
    EXPECT_EQ(send.result, -EPIPE);

    Pair blocked = unix_pair();
    fill(blocked.first);
    Send waits(blocked.first, "abc");
    EXPECT_FALSE(waits.start(backend()));
    EXPECT_TRUE(names_nothing());
    blocked.second.close();
    EXPECT_TRUE(names(waits));
    EXPECT_TRUE(waits.finish());
    EXPECT_EQ(waits.result, -EPIPE);
}

TEST_P(IoBackendTest, ADatagramForAFullReceiverWaits) {
    // No edge tells when an unconnected unix socket could send to this one receiver.
    OwnedFd receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    ASSERT_EQ(::bind(receiver.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(receiver.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    OwnedFd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    auto send_one = [&] {
        return ::sendto(sender.fd(), "x", 1, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
    };
    while (send_one() == 1) {
    }

    Send send(sender, "last");
    send.call = IoCall::send_to;
    send.address = &address;
    send.address_size = size;
    EXPECT_FALSE(send.start(backend()));
    for (int i = 0; i < 3; ++i) {
        for (const IoEvent& event : wait()) {
            EXPECT_EQ(event.operation, &send);
            EXPECT_FALSE(send.finish());
        }
    }
    while (receiver.take() == "x") {
    }
    for (int i = 0; i < 100 && send.is_waiting(); ++i) {
        if (!wait(std::chrono::milliseconds(10)).empty()) send.finish();
    }
    EXPECT_FALSE(send.is_waiting());
    EXPECT_EQ(send.result, 4);
    EXPECT_EQ(receiver.take(), "last");
}

}  // namespace
}  // namespace asyncio::detail
