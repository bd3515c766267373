#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

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

}  // namespace
}  // namespace asyncio
