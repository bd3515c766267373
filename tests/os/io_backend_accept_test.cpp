// Who is accepted, and what is told of it, in the days when something is amiss.
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cerrno>

#include "os/io_backend_support.h"
#include "support/no_more_descriptors.h"

namespace asyncio::detail {
namespace {

using namespace std::chrono_literals;

/// As a server does it.
struct Accept : IoOperation {
    explicit Accept(const Listener& listener) : IoOperation(IoCall::accept) {
        descriptor = listener.socket.descriptor;
        at_once = false;
        repeats = true;
        address = &peer;
        address_size = sizeof peer;
    }
    sockaddr_storage peer = {};
};

TEST_P(IoBackendTest, APeerThatHasResetItsConnectionAlreadyIsNamed) {
    Listener listener;
    Accept accept(listener);
    EXPECT_FALSE(accept.start(backend()));
    EXPECT_TRUE(names_nothing());  // now the kernel knows
    OwnedFd client = listener.connect();
    sockaddr_in name = {};
    socklen_t size = sizeof name;
    EXPECT_EQ(::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_TRUE(names(accept));
    linger at_once = {1, 0};
    EXPECT_EQ(::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    client.close();
    EXPECT_TRUE(accept.finish());
    EXPECT_GE(accept.result, 0);
    OwnedFd accepted(static_cast<int>(accept.result));
    EXPECT_EQ(accept.address_size, sizeof name);
    EXPECT_EQ(reinterpret_cast<sockaddr_in&>(accept.peer).sin_port, name.sin_port);
}

#if !defined(__SANITIZE_ADDRESS__)  // whose UndefinedBehaviorSanitizer needs descriptors itself
TEST_P(IoBackendTest, ThatThereAreNoDescriptorsIsToldOnlyWhenSomebodyIsThere) {
    Listener listener;
    Accept first(listener);
    EXPECT_FALSE(first.start(backend()));
    EXPECT_TRUE(names_nothing());
    first.stop();
    wait(1ms);
    OwnedFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    OwnedFd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto connect = [&](const OwnedFd& who) {
        EXPECT_EQ(::connect(who.fd(), reinterpret_cast<sockaddr*>(&listener.address), listener.size), 0);
    };
    {
        support::NoMoreDescriptors none;
        Accept accept(listener);
        EXPECT_FALSE(accept.start(backend()));
        for (int i = 0; i < 5; ++i) EXPECT_TRUE(wait(2ms).empty());
        connect(client);
        for (int i = 0; i < 2; ++i) {  // and each time that it is asked for again, as long as he is there
            EXPECT_TRUE(names(accept));
            EXPECT_TRUE(accept.finish());
            EXPECT_EQ(accept.result, -EMFILE);
            accept.at_once = false;
            EXPECT_FALSE(accept.start(backend()));
        }
        accept.stop();
    }
    Accept accept(listener);
    EXPECT_FALSE(accept.start(backend()));
    EXPECT_TRUE(names(accept));
    EXPECT_TRUE(accept.finish());
    EXPECT_GE(accept.result, 0);
    OwnedFd accepted(static_cast<int>(accept.result));
    accept.at_once = true;
    EXPECT_FALSE(accept.start(backend()));  // that was all
    accept.stop();
    {
        support::NoMoreDescriptors none;
        accept.at_once = false;
        EXPECT_FALSE(accept.start(backend()));
        for (int i = 0; i < 5; ++i) EXPECT_TRUE(wait(2ms).empty());
    }
    connect(late);
    EXPECT_TRUE(names(accept));
    EXPECT_TRUE(accept.finish());
    EXPECT_GE(accept.result, 0);
    OwnedFd last(static_cast<int>(accept.result));
}
#endif

}  // namespace
}  // namespace asyncio::detail
