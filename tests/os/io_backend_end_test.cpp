// An end or a reset behind many bytes. An io_uring's multishot receive stops for a while after 32 of its turns, and is
// not woken for an end that was there by then.
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "os/io_backend_support.h"

namespace asyncio::detail {
namespace {

class IoBackendEndTest : public IoBackendTest {
protected:
    struct Read {
        std::size_t bytes = 0;
        std::string end;
    };
    /// Until it is over, as a stream does it.
    Read read_all(const OwnedFd& from, bool tcp) {
        StreamReceive receive(from, tcp, 100'000);
        Read read;
        while (read.end.empty()) {
            EXPECT_FALSE(receive.start(backend()));
            do {
                if (!names(receive)) read.end = "nothing";
            } while (read.end.empty() && !receive.finish());
            receive.stop();
            if (!read.end.empty()) break;
            if (receive.result == 0) read.end = "end";
            if (receive.result < 0) read.end = std::to_string(-receive.result);
            if (receive.result > 0) read.bytes += static_cast<std::size_t>(receive.result);
        }
        return read;
    }
    static Pair pair_with_room(bool tcp) {
        Pair pair = tcp ? tcp_pair() : unix_pair();
        int size = 8 << 20;
        for (int fd : {pair.first.fd(), pair.second.fd()}) {
            ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
            ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        }
        return pair;
    }
    /// As much as there is room for.
    static std::size_t put(const OwnedFd& into, std::size_t size, std::size_t piece) {
        std::string block(piece, 'x');
        std::size_t sent = 0;
        while (sent < size) {
            ssize_t now = ::send(into.fd(), block.data(), std::min(piece, size - sent), MSG_NOSIGNAL);
            if (now < 0) break;
            sent += static_cast<std::size_t>(now);
        }
        return sent;
    }
};
INSTANTIATE_TEST_SUITE_P(All, IoBackendEndTest, testing::Values("epoll", "io_uring"));

constexpr std::size_t sizes[] = {1, 4096, 100'000, 131'072, 135'168, 140'000, 262'144, 300'000, 1'000'000};
constexpr std::size_t pieces[] = {1000, 4096, 65'536};

TEST_P(IoBackendEndTest, IsToldThoughItWasThereBeforeAnybodyReceived) {
    for (bool tcp : {false, true}) {
        for (std::size_t piece : pieces) {
            for (std::size_t size : sizes) {
                Pair pair = pair_with_room(tcp);
                std::size_t sent = put(pair.second, size, piece);
                pair.second.close();
                if (tcp) ::usleep(1000);
                Read read = read_all(pair.first, tcp);
                EXPECT_EQ(read.end, "end") << tcp << ", " << size << " in pieces of " << piece;
                EXPECT_EQ(read.bytes, sent);
                backend().closing(pair.first.descriptor);
            }
        }
    }
}

TEST_P(IoBackendEndTest, IsToldThoughItComesWhileTheReceiveIsUnderWay) {
    for (bool tcp : {false, true}) {
        for (bool closes : {false, true}) {
            for (std::size_t size : sizes) {
                Pair pair = pair_with_room(tcp);
                StreamReceive first(pair.first, tcp);
                EXPECT_FALSE(first.start(backend()));
                EXPECT_TRUE(names_nothing());
                std::size_t sent = put(pair.second, size, 65'536);
                ::shutdown(pair.second.fd(), SHUT_WR);
                if (closes) pair.second.close();
                ASSERT_TRUE(names(first));
                EXPECT_TRUE(first.finish());
                Read read = read_all(pair.first, tcp);
                EXPECT_EQ(read.end, "end") << tcp << closes << ", " << size;
                EXPECT_EQ(read.bytes + static_cast<std::size_t>(first.result), sent);
                backend().closing(pair.first.descriptor);
            }
        }
    }
}

TEST_P(IoBackendEndTest, AResetIsToldBehindAnyNumberOfBytes) {
    for (std::size_t piece : pieces) {
        for (std::size_t size : sizes) {
            Pair pair = pair_with_room(true);
            std::size_t sent = put(pair.second, size, piece);
            ::usleep(2000);
            linger now{1, 0};
            ::setsockopt(pair.second.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
            pair.second.close();
            Read read = read_all(pair.first, true);
            EXPECT_EQ(read.end, std::to_string(ECONNRESET)) << size << " in pieces of " << piece;
            EXPECT_LE(read.bytes, sent);
            backend().closing(pair.first.descriptor);
        }
    }
}

}  // namespace
}  // namespace asyncio::detail
