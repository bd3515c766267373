#include <asyncio/errors/exceptions.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/uio.h>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

INSTANTIATE_TEST_SUITE_P(All, IoBackendTest, testing::Values("epoll", "io_uring"));

TEST_P(IoBackendTest, AReceiveThatCanSucceedIsOverAtOnce) {
    Pair pair = unix_pair();
    pair.second.put("abc");
    Receive receive(pair.first, 2);
    EXPECT_TRUE(receive.start(backend()));
    EXPECT_EQ(receive.text(), "ab");
    EXPECT_FALSE(receive.is_waiting());
    EXPECT_TRUE(receive.start(backend()));
    EXPECT_EQ(receive.text(), "c");
    pair.second.close();
    EXPECT_TRUE(receive.start(backend()));
    EXPECT_EQ(receive.result, 0);
}

TEST_P(IoBackendTest, AReceiveWaitsUntilSomethingIsThere) {
    Pair pair = tcp_pair();
    Receive receive(pair.first);
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_TRUE(receive.is_waiting());
    EXPECT_TRUE(names_nothing());
    pair.second.put("abc");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(names_nothing());  // named once
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "abc");
    EXPECT_TRUE(names_nothing());
}

TEST_P(IoBackendTest, ReceivesOnOneDescriptorAreServedInTheOrderInWhichTheyCame) {
    Pair pair = unix_pair(SOCK_SEQPACKET);
    Receive first(pair.first);
    Receive second(pair.first);
    EXPECT_FALSE(first.start(backend()));
    EXPECT_FALSE(second.start(backend()));
    pair.second.put("a");
    pair.second.put("b");
    EXPECT_TRUE(names(first));
    Receive third(pair.first);
    EXPECT_FALSE(third.start(backend()));  // it does not overtake
    EXPECT_TRUE(first.finish());
    EXPECT_TRUE(names(second));
    EXPECT_TRUE(second.finish());
    EXPECT_EQ(first.text() + second.text(), "ab");
    pair.second.put("c");
    EXPECT_TRUE(names(third));
    EXPECT_TRUE(third.finish());
    EXPECT_EQ(third.text(), "c");
}

TEST_P(IoBackendTest, WhatACancelledReceiveDidNotTakeIsTheNextOnes) {
    Pair pair = tcp_pair();
    for (bool named : {false, true}) {
        Receive receive(pair.first);
        EXPECT_FALSE(receive.start(backend()));
        pair.second.put("abc");
        if (named) {
            EXPECT_TRUE(names(receive));
        }
        receive.stop();
        EXPECT_FALSE(receive.is_waiting());
        Receive next(pair.first);
        bool over = next.start(backend());
        if (!over) {
            EXPECT_TRUE(names(next));
            EXPECT_TRUE(next.finish());
        }
        EXPECT_EQ(next.text(), "abc");
    }
}

TEST_P(IoBackendTest, CancellingAReceiveThatWasNamedNamesTheNextInLine) {
    Pair pair = tcp_pair();
    Receive first(pair.first);
    Receive second(pair.first);
    EXPECT_FALSE(first.start(backend()));
    EXPECT_FALSE(second.start(backend()));
    pair.second.put("abc");
    EXPECT_TRUE(names(first));
    first.stop();
    EXPECT_TRUE(names(second));
    EXPECT_TRUE(second.finish());
    EXPECT_EQ(second.text(), "abc");
}

TEST_P(IoBackendTest, AnOutcomeThatAnotherTookIsWaitedForAgain) {
    Pair pair = tcp_pair();
    Receive receive(pair.first);
    EXPECT_FALSE(receive.start(backend()));
    pair.second.put("abc");
    EXPECT_TRUE(names(receive));
    EXPECT_EQ(pair.first.take(), "abc");
    EXPECT_FALSE(receive.finish());
    EXPECT_TRUE(receive.is_waiting());
    EXPECT_TRUE(names_nothing());
    pair.second.put("d");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "d");
}

TEST_P(IoBackendTest, AReceiveOfAStreamIsNamedBeforeItIsOver) {
    for (bool tcp : {true, false}) {
        Pair pair = tcp ? tcp_pair() : unix_pair();
        pair.second.put("abc");
        StreamReceive receive(pair.first, tcp);
        EXPECT_FALSE(receive.start(backend()));
        EXPECT_TRUE(names(receive));
        EXPECT_TRUE(receive.finish());
        EXPECT_EQ(receive.text(), "abc");
        EXPECT_FALSE(receive.start(backend()));
        EXPECT_TRUE(names_nothing());
    }
}

TEST_P(IoBackendTest, AStreamThatGetsMoreThanItHasRoomForIsNamedAgain) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true, 4);
    EXPECT_FALSE(receive.start(backend()));
    pair.second.put("0123456789");
    std::string all;
    while (all.size() < 10) {
        ASSERT_TRUE(names(receive)) << all;
        EXPECT_TRUE(receive.finish());
        EXPECT_LE(receive.result, 4);
        all += receive.text();
        EXPECT_FALSE(receive.start(backend()));
    }
    EXPECT_EQ(all, "0123456789");
    EXPECT_TRUE(names_nothing());
    pair.second.put("abcd");  // exactly the room that there is
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_FALSE(receive.start(backend()));
    if (!wait().empty()) {
        EXPECT_FALSE(receive.finish());  // there may have been more
    }
    pair.second.put("e");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "e");
}

TEST_P(IoBackendTest, AnEndThatCameTogetherWithTheLastBytesIsSeen) {
    for (bool tcp : {true, false}) {
        Pair pair = tcp ? tcp_pair() : unix_pair();
        StreamReceive receive(pair.first, tcp);
        EXPECT_FALSE(receive.start(backend()));
        pair.second.put("abc");
        EXPECT_EQ(::shutdown(pair.second.fd(), SHUT_WR), 0);
        EXPECT_TRUE(names(receive));
        EXPECT_TRUE(receive.finish());
        EXPECT_EQ(receive.text(), "abc");
        EXPECT_FALSE(receive.start(backend()));
        EXPECT_TRUE(names(receive));
        EXPECT_TRUE(receive.finish());
        EXPECT_EQ(receive.result, 0);
    }
}

TEST_P(IoBackendTest, AnEndThatComesBetweenTheNewsAndTheReceiveIsSeen) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true);
    EXPECT_FALSE(receive.start(backend()));
    pair.second.put("abc");
    EXPECT_TRUE(names(receive));
    pair.second.close();
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.text(), "abc");
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.result, 0);
}

TEST_P(IoBackendTest, AResetIsSeenOnce) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true);
    EXPECT_FALSE(receive.start(backend()));
    linger at_once{1, 0};
    EXPECT_EQ(::setsockopt(pair.second.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    pair.second.close();
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_EQ(receive.result, -ECONNRESET);
}

TEST_P(IoBackendTest, DescriptorsSentOverAUnixSocketDoNotHideTheBytesBehindThem) {
    Pair pair = unix_pair();
    StreamReceive receive(pair.first, false);
    EXPECT_FALSE(receive.start(backend()));

    char text[] = "with a descriptor";
    iovec part{text, sizeof text - 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int sent = pair.second.fd();
    std::memcpy(CMSG_DATA(header), &sent, sizeof sent);
    ASSERT_EQ(::sendmsg(pair.second.fd(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(sizeof text - 1));
    pair.second.put(", and more");

    std::string all;
    while (all.size() < 27) {
        ASSERT_TRUE(names(receive)) << all;
        if (receive.finish()) all += receive.text();
        if (!receive.is_waiting()) {
            EXPECT_FALSE(receive.start(backend()));
        }
    }
    EXPECT_EQ(all, "with a descriptor, and more");
}

TEST_P(IoBackendTest, UrgentDataDoesNotHideTheBytesBehindIt) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true);
    EXPECT_FALSE(receive.start(backend()));
    pair.second.put("abc");
    EXPECT_EQ(::send(pair.second.fd(), "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    pair.second.put("def");
    std::string all;
    while (all.size() < 6) {
        ASSERT_TRUE(names(receive)) << all;
        if (receive.finish()) all += receive.text();
        if (!receive.is_waiting()) {
            EXPECT_FALSE(receive.start(backend()));
        }
    }
    EXPECT_EQ(all, "abcdef");
}

TEST_P(IoBackendTest, APausedStreamGetsLaterWhatCameMeanwhile) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true, 100'000);
    EXPECT_FALSE(receive.start(backend()));
    pair.second.put("a");
    EXPECT_TRUE(names(receive));
    EXPECT_TRUE(receive.finish());
    EXPECT_FALSE(receive.start(backend()));
    receive.stop();
    pair.second.put("b");
    EXPECT_TRUE(names_nothing());
    pair.second.put("c");
    std::string all;
    while (all.size() < 2) {
        EXPECT_FALSE(receive.start(backend()));
        ASSERT_TRUE(names(receive)) << all;
        EXPECT_TRUE(receive.finish());
        all += receive.text();
    }
    EXPECT_EQ(all, "bc");
}

TEST_P(IoBackendTest, APausedStreamLeavesTheBytesToTheKernel) {
    Pair pair = tcp_pair();
    StreamReceive receive(pair.first, true, 100'000);
    EXPECT_FALSE(receive.start(backend()));
    EXPECT_TRUE(names_nothing());
    receive.stop();
    EXPECT_TRUE(names_nothing());
    // Whoever writes has to stop, at some time, though the loop goes on looking.
    std::string block(100'000, 'x');
    std::size_t sent = 0;
    for (int blocked = 0; blocked < 20;) {
        ssize_t size = ::send(pair.second.fd(), block.data(), block.size(), MSG_NOSIGNAL);
        if (size < 0) {
            ++blocked;
            ::usleep(1000);
        } else {
            sent += static_cast<std::size_t>(size);
            ASSERT_LT(sent, 50'000'000u);
        }
        EXPECT_TRUE(names_nothing());
    }
    std::size_t received = 0;
    EXPECT_FALSE(receive.start(backend()));
    while (received < sent) {
        ASSERT_TRUE(names(receive)) << received << " of " << sent;
        if (receive.finish()) received += static_cast<std::size_t>(receive.result);
        if (!receive.is_waiting()) {
            EXPECT_FALSE(receive.start(backend()));
        }
    }
    EXPECT_EQ(received, sent);
}

TEST_P(IoBackendTest, AStreamThatIsReadSlowlyLeavesTheBytesToTheKernel) {
    Pair pair = unix_pair();
    std::string block(100'000, 'x');
    std::size_t sent = 0;
    std::size_t received = 0;
    StreamReceive receive(pair.first, false, 1000);
    for (int blocked = 0; blocked < 20;) {
        EXPECT_FALSE(receive.start(backend()));
        ssize_t size = ::send(pair.second.fd(), block.data(), block.size(), MSG_NOSIGNAL);
        if (size < 0) {
            ++blocked;
        } else {
            sent += static_cast<std::size_t>(size);
            ASSERT_LT(sent, 2'000'000u);
        }
        ASSERT_TRUE(names(receive));
        if (receive.finish()) received += static_cast<std::size_t>(receive.result);
        receive.stop();
    }
    receive.data = block.data();
    receive.size = block.size();
    while (received < sent) {
        EXPECT_FALSE(receive.start(backend()));
        ASSERT_TRUE(names(receive)) << received << " of " << sent;
        if (receive.finish()) received += static_cast<std::size_t>(receive.result);
        receive.stop();
    }
    EXPECT_EQ(received, sent);
    EXPECT_TRUE(names_nothing());
}

TEST_P(IoBackendTest, MoreStreamsThanABackendHasBuffersForAllGetTheirBytes) {
    constexpr int many = 400;
    std::vector<Pair> pairs;
    std::vector<std::unique_ptr<StreamReceive>> receives;
    for (int i = 0; i < many; ++i) {
        pairs.push_back(unix_pair());
        receives.push_back(std::make_unique<StreamReceive>(pairs.back().first, false, 100'000));
        EXPECT_FALSE(receives.back()->start(backend()));
    }
    std::string block(50'000, 'x');
    for (const Pair& pair : pairs) pair.second.put(block);
    std::size_t received = 0;
    // Half of them are paused as soon as they have heard of anything, and hold nothing back from the others.
    for (int idle = 0; idle < 50;) {
        std::vector<IoEvent> events = wait(std::chrono::milliseconds(10));
        if (events.empty()) ++idle;
        for (const IoEvent& event : events) {
            auto& receive = static_cast<StreamReceive&>(*event.operation);
            bool pauses = receive.descriptor.fd % 4 >= 2;
            if (pauses) {
                receive.stop();
            } else {
                if (receive.finish()) received += static_cast<std::size_t>(receive.result);
                if (!receive.is_waiting()) {
                    EXPECT_FALSE(receive.start(backend()));
                }
            }
        }
    }
    for (auto& receive : receives) {
        if (!receive->is_waiting()) {
            EXPECT_FALSE(receive->start(backend()));
        }
    }
    while (received < many * block.size()) {
        std::vector<IoEvent> events = wait(std::chrono::milliseconds(500));
        ASSERT_FALSE(events.empty()) << received;
        for (const IoEvent& event : events) {
            if (event.operation->finish()) received += static_cast<std::size_t>(event.operation->result);
            if (!event.operation->is_waiting()) {
                EXPECT_FALSE(event.operation->start(backend()));
            }
        }
    }
    EXPECT_EQ(received, many * block.size());
}

}  // namespace
}  // namespace asyncio::detail
