// What the backends have seen, or been told, when a call of theirs fails.
#include <gtest/gtest.h>

#include <cerrno>

#include "faults/faults.h"
#include "os/epoll_backend.h"
#include "os/fork_support.h"
#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

using faults::Kind;
using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Faults, IoBackendTest, testing::Values("epoll", "io_uring"));

struct Writable : IoOperation {
    explicit Writable(const OwnedFd& what) : IoOperation(IoCall::writable) {
        descriptor = what.descriptor;
        at_once = false;
    }
};

TEST_P(IoBackendTest, WhatIsNamedIsHeardOfThoughTheWaitFails) {
    Pair pair = unix_pair();
    StreamReceive first(pair.first, false);
    StreamReceive second(pair.first, false);
    EXPECT_FALSE(first.start(backend()));
    EXPECT_FALSE(second.start(backend()));
    pair.second.put("ab");
    EXPECT_TRUE(names(first));
    Pair other = unix_pair();
    Receive third(other.first);
    EXPECT_FALSE(third.start(backend()));
    first.stop();  // now it is the second's turn
    faults::set(Kind::waiting, 1, true);
    bool was_named = false;
    int error = 0;
    for (int i = 0; i < 3 && error == 0; ++i) {
        std::vector<IoEvent> events;
        try {
            backend().wait(std::chrono::nanoseconds(20ms), events);
        } catch (const OSError& failure) {
            error = failure.errno_value();
        }
        if (error != 0) {
            EXPECT_TRUE(events.empty());
        } else if (!events.empty()) {
            was_named = events[0].operation == &second;
        }
    }
    faults::clear();
    EXPECT_EQ(error, ENOTRECOVERABLE);
    EXPECT_TRUE(was_named || names(second));
    EXPECT_TRUE(second.finish());
    EXPECT_EQ(second.text(), "ab");
    third.stop();
}

// In a child, where the epoll is opened anew by the first who needs it, while one of its calls fails: zero if that is
// told, or what was asked for comes.

int watch_in_a_child(EpollBackend& backend, int fd, long number) {
    faults::set(Kind::system_call, number, false);
    try {
        backend.watch(fd, true, true);
    } catch (const OSError&) {
        return 0;
    }
    faults::clear();
    for (int i = 0; i < 50; ++i) {
        std::vector<IoEvent> events;
        backend.wait(std::chrono::nanoseconds(10ms), events);
        if (!events.empty() && events[0].writable) return 0;
    }
    return 2;
}

int wait_in_a_child(EpollBackend& backend, IoOperation& writing, long number) {
    faults::set(Kind::system_call, number, false);
    bool is_over = writing.start(backend);
    faults::clear();
    if (is_over) return writing.result < 0 ? 0 : 1;
    for (int i = 0; i < 50; ++i) {
        std::vector<IoEvent> events;
        backend.wait(std::chrono::nanoseconds(10ms), events);
        for (const IoEvent& event : events) {
            if (event.operation == &writing) return 0;
        }
    }
    return 2;
}

TEST(BackendFaults, AChildThatCannotRegisterADescriptorAnewSaysSo) {
    for (long number = 1; number < 8; ++number) {
        Pair pair = unix_pair();
        EpollBackend backend;
        Receive reading(pair.first);
        EXPECT_FALSE(reading.start(backend));
        Writable writing(pair.first);
        EXPECT_EQ(in_child([&] { return wait_in_a_child(backend, writing, number); }), 0) << number;
        reading.stop();
        backend.watch(pair.first.fd(), true, false);
        EXPECT_EQ(in_child([&] { return watch_in_a_child(backend, pair.first.fd(), number); }), 0) << number;
    }
}

}  // namespace
}  // namespace asyncio::detail
