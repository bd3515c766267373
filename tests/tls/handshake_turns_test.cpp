#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/faulty_backend.h"
#include "net/net_support.h"
#include "net/protocol_support.h"
#include "tls/tls_by_hand.h"

// Handshakes that come all at once must not keep everybody else waiting.

namespace asyncio {
namespace {

using support::Recorder;
using support::run_net;
using support::TlsByHand;

class HandshakeTurnsTest : public support::NetTest {};

constexpr int count = 20;

/// Clients whose hellos lie in their sockets.
struct Crowd {
    Crowd() {
        for (int i = 0; i < count; ++i) {
            auto& client = clients.emplace_back(std::make_unique<TlsByHand>());
            client->add_layer();
            EXPECT_THROW(client->tls().do_handshake(), SSLWantReadError);
            client->flush();
        }
    }
    Coro<> serve(std::string* told) {
        for (auto& client : clients) {
            auto one = [told, fd = client->other_end()]() -> Coro<> {
                auto factory = [told] { return Recorder(told); };
                SSLContext context = support::for_servers();
                ConnectAcceptedSocketOptions options = {.ssl = context};
                auto connection = co_await connect_accepted_socket(factory, Socket::from_fd(fd), options);
                connection.protocol->transport = Transport();
            };
            serving.push_back(create_task(one));
        }
        co_return;
    }
    /// How many have been answered since.
    int answered() {
        int answers = 0;
        for (auto& client : clients) answers += client->receive() > 0;
        return answers;
    }
    std::vector<std::unique_ptr<TlsByHand>> clients;
    std::vector<Task<>> serving;
};

TEST_F(HandshakeTurnsTest, AreOnePass) {
    std::string told;
    run_net([&]() -> Coro<> {
        Crowd crowd;
        co_await crowd.serve(&told);
        int all = 0;
        for (int pass = 0; pass < 2000 && all < count; ++pass) {
            co_await sleep(0);
            int now = crowd.answered();
            EXPECT_LE(now, 1) << "in pass " << pass;
            all += now;
        }
        EXPECT_EQ(all, count);
        for (auto& client : crowd.clients) co_await client->shake_hands();
        for (auto& served : crowd.serving) co_await served;
        for (auto& client : crowd.clients) client->end();
        for (int i = 0; i < 2000 && told.find("destroyed") == told.npos; ++i) co_await sleep(0.001);
        co_await sleep(0.02);
    });
}

/// Who waits for a turn may be given up, and the loop closed.
TEST_F(HandshakeTurnsTest, NeedNotCome) {
    std::string told;
    run_net([&]() -> Coro<> {
        Crowd crowd;
        co_await crowd.serve(&told);
        for (int pass = 0; pass < 6; ++pass) co_await sleep(0);
        for (int i = 0; i < count / 2; ++i) crowd.serving[static_cast<std::size_t>(i)].cancel();
        for (int pass = 0; pass < 3; ++pass) co_await sleep(0);
    });
}

/// While it lives the process may have no more descriptors than that.
class FewDescriptors {
public:
    explicit FewDescriptors(rlim_t few) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit now = {few, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    FewDescriptors(const FewDescriptors&) = delete;

private:
    rlimit before_ = {};
};

enum class Heard { nothing, bytes, end };
Heard heard(const Socket& socket) {
    char byte = 0;
    auto size = ::recv(socket.fileno(), &byte, 1, MSG_DONTWAIT);
    if (size > 0) return Heard::bytes;
    return size < 0 && errno == EAGAIN ? Heard::nothing : Heard::end;
}

Coro<> echo_a_line(StreamReader reader, StreamWriter writer) {
    std::string line = co_await reader.readline();
    writer.write(line);
}

Coro<> talk(const SocketAddress& address) {
    OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
    Streams streams = co_await open_connection("127.0.0.1", address.port(), options);
    streams.writer.write("hello\n");
    std::string line = co_await streams.reader.readline();
    EXPECT_EQ(line, "hello\n");
    streams.writer.close();
    co_await streams.writer.wait_closed();
}

/// The one whose handshake began first is given up, also if it has said the half of its hello just now: to drip bytes
/// keeps no place.
TEST_F(HandshakeTurnsTest, OfQuietClientsTheOldestMakeRoomForOthers) {
    run_net([&]() -> Coro<> {
        Server server = co_await start_server(echo_a_line, "127.0.0.1", 0, {.ssl = support::for_servers()});
        SocketAddress address = server.sockets()[0].getsockname();
        constexpr int most = 16;
        std::vector<Socket> quiet;
        auto connect = [&]() -> Coro<> {
            Socket& socket = quiet.emplace_back(AddressFamily::INET);
            co_await sock_connect(socket, address);
            co_await sleep(0.001);
        };
        {
            FewDescriptors few(2 * most);
            co_await connect();
            for (int i = 0; i < 20; ++i) co_await sleep(0.001);
        }
        for (int i = 1; i < most; ++i) co_await connect();
        MemoryBIO in, out;
        SSLObject hello = support::for_clients().wrap_bio(in, out, {.server_hostname = "localhost"});
        EXPECT_THROW(hello.do_handshake(), SSLWantReadError);
        std::string half = out.read(50);
        co_await sock_sendall(quiet[0], half);
        co_await sleep(0.01);
        for (const Socket& socket : quiet) EXPECT_EQ(heard(socket), Heard::nothing);

        for (int i = 0; i < 3; ++i) {
            co_await talk(address);
            co_await connect();
        }
        for (std::size_t i = 0; i < quiet.size(); ++i) {
            for (int wait = 0; wait < 1000 && i <= 2 && heard(quiet[i]) == Heard::nothing; ++wait) {
                co_await sleep(0.001);
            }
            EXPECT_EQ(heard(quiet[i]), i <= 2 ? Heard::end : Heard::nothing) << i;
        }
        quiet.clear();
        server.close();
        co_await server.wait_closed();
    });
}

/// Where no descriptor is left for a connection, one that has been quiet for a second makes room, and nobody waits.
TEST_F(HandshakeTurnsTest, AQuietClientMakesRoomWhereNoDescriptorIsLeft) {
    support::FaultyBackend backend;
    for (int error : {EMFILE, ENFILE}) {
        const Socket* in_the_way = nullptr;
        backend.fault = [&](const IoOperation& operation) {
            bool is_full = operation.call == IoCall::accept && in_the_way != nullptr;
            return is_full && heard(*in_the_way) == Heard::nothing ? error : 0;
        };
        support::run_on(backend, [&]() -> Coro<> {
            support::Reports reports;
            reports.listen(get_running_loop());
            Server server = co_await start_server(echo_a_line, "127.0.0.1", 0, {.ssl = support::for_servers()});
            SocketAddress address = server.sockets()[0].getsockname();
            std::vector<Socket> quiet;
            for (int i = 0; i < 3; ++i) {
                quiet.emplace_back(AddressFamily::INET);
                co_await sock_connect(quiet.back(), address);
                co_await sleep(0.001);
            }
            auto heard_by = [&] {
                std::string all;
                for (const Socket& socket : quiet) all += heard(socket) == Heard::end ? "ended " : "open ";
                return all;
            };
            TimePoint start = get_running_loop().time();
            in_the_way = &quiet[0];  // which has just begun
            co_await talk(address);
            EXPECT_EQ(get_running_loop().time() - start, Seconds(1));
            EXPECT_EQ(reports.messages, std::vector<std::string>(1, "socket.accept() out of system resource"));
            EXPECT_EQ(heard_by(), "ended open open ");

            start = get_running_loop().time();
            in_the_way = &quiet[1];
            co_await talk(address);
            EXPECT_EQ(get_running_loop().time() - start, Seconds(0));
            EXPECT_EQ(reports.messages.size(), 1U);
            EXPECT_EQ(heard_by(), "ended ended open ");
            in_the_way = nullptr;
            quiet.clear();
            server.close();
            co_await server.wait_closed();
            get_running_loop().set_exception_handler(nullptr);
        });
    }
}

}  // namespace
}  // namespace asyncio
