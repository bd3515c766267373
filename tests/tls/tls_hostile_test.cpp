#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "net/stream_support.h"
#include "tls/tls_by_hand.h"
#include "tls/tls_engine.h"

// Other ends that send what nobody sends, do not read, or end where they should not.

namespace asyncio {
namespace {

using support::connect_ends;
using support::Ends;
using support::outcome_of;
using support::Recorder;
using support::run_net;
using support::serve_by_hand;
using support::TlsByHand;

class TlsHostileTest : public support::NetTest {};

/// Each KeyUpdate asks for an answer, and nobody reads the answers.
TEST_F(TlsHostileTest, AnswersNobodyForEverWhoDoesNotRead) {
    run_net([]() -> Coro<> {
        TlsByHand client;
        client.have_small_buffers();
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        co_await serve_by_hand(client, protocol);
        SSL* ssl = client.tls().engine().native();
        std::size_t sent = 0;
        int waits = 0;
        for (std::string rest; sent < 2'000'000 && waits < 100;) {
            for (int i = 0; rest.size() < 10'000 && i < 500; ++i) {
                SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
                SSL_do_handshake(ssl);
                rest += client.take_outgoing();
            }
            std::size_t size = client.put(rest);
            rest.erase(0, size);
            sent += size;
            waits = size == 0 ? waits + 1 : 0;
            co_await sleep(size == 0 ? 0.001 : 0);  // the server needs its turns, too
        }
        EXPECT_LT(protocol->transport.get_write_buffer_size(), 400'000U) << "of " << sent;
        // When he reads again it goes on.
        for (int i = 0; i < 100; ++i) {
            client.receive();
            client.read();
            co_await sleep(0.001);
        }
        protocol->transport.abort();
        protocol->transport = Transport();
        co_await sleep(0.01);
    });
}

/// Something waits for him all the time, but what was said because of him does not.
TEST_F(TlsHostileTest, IsReadFromForEverIfHeReadsAndAsks) {
    run_net([]() -> Coro<> {
        constexpr int rounds = 3000;  // with 27 bytes of answer in each
        TlsByHand client;
        client.have_small_buffers();
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        co_await serve_by_hand(client, protocol);
        auto received = [&] { return std::count(told.begin(), told.end(), 'k'); };
        std::string much(256 * 1024, 'm'), rest;
        int asked = 0;
        for (int i = 0; i < 10'000 && received() < rounds; ++i) {
            if (protocol->transport.get_write_buffer_size() < 300'000) protocol->transport.write(much);
            client.receive();
            client.read();
            if (asked < rounds && rest.empty()) {
                ++asked;
                SSL_key_update(client.tls().engine().native(), SSL_KEY_UPDATE_REQUESTED);
                client.tls().write("k");
                rest = client.take_outgoing();
            }
            rest.erase(0, client.put(rest));
            co_await sleep(0);
        }
        EXPECT_EQ(received(), rounds);
        EXPECT_GT(protocol->transport.get_write_buffer_size(), 100'000U);
        protocol->transport.abort();
        protocol->transport = Transport();
        co_await sleep(0.01);
    });
}

class Collector : public BufferedProtocol {
public:
    explicit Collector(std::string* told) : told_(told) {}
    void connection_made(Transport its_transport) override { transport = its_transport; }
    WritableBytes get_buffer(std::ptrdiff_t) override { return room_; }
    void buffer_updated(std::size_t size) override { told_->append(room_, size); }
    void connection_lost(std::exception_ptr error) override { *told_ += error ? "|" + repr(error) : "|"; }
    Transport transport;

private:
    std::string* told_;
    char room_[1000];
};

TEST_F(TlsHostileTest, GivesABufferedProtocolWhatCameBeforeAnError) {
    run_net([]() -> Coro<> {
        for (bool is_bad : {false, true}) {
            TlsByHand client;
            std::string told;
            auto protocol = make_protocol<Collector>(&told);
            co_await serve_by_hand(client, protocol);
            protocol->transport.pause_reading();
            client.write("precious");
            if (is_bad) client.put(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'z'));
            client.end();
            co_await sleep(0.01);
            protocol->transport.resume_reading();
            for (int i = 0; i < 1000 && told.find('|') == told.npos; ++i) co_await sleep(0.001);
            EXPECT_EQ(told.substr(0, told.find('(')), is_bad ? "precious|SSLError" : "precious|SSLEOFError");
            protocol->transport = Transport();
        }
    });
}

/// He has ended his half before he reads what was written.
TEST_F(TlsHostileTest, GivesAllToAPeerWhoReadsSlowly) {
    run_net([]() -> Coro<> {
        for (int depth : {1, 2}) {
            for (bool closes : {false, true}) {
                TlsByHand client;
                std::string told;
                auto protocol = make_protocol<Recorder>(&told);
                co_await serve_by_hand(client, protocol);
                if (depth == 2) {
                    auto start = [&]() -> Coro<> {
                        StartTlsOptions options = {.server_side = true};
                        protocol->transport =
                            co_await start_tls(protocol->transport, protocol, support::for_servers(), options);
                    };
                    auto starting = create_task(start);
                    client.add_layer();
                    co_await client.shake_hands();
                    co_await starting;
                }
                for (int i = 0; i < 5; ++i) protocol->transport.write(std::string(1'000'000, 'r'));
                if (closes) protocol->transport.close();
                if (!closes) client.say_goodbye();
                std::size_t received = 0;
                for (int i = 0; i < 3000 && !client.has_ended(); ++i) {
                    co_await sleep(0.001);
                    client.receive();
                    received += client.read().size();
                }
                EXPECT_EQ(received, 5'000'000U) << depth << closes;
                EXPECT_TRUE(client.has_ended()) << depth << closes;
                protocol->transport.abort();
                protocol->transport = Transport();
                co_await sleep(0.01);
            }
        }
    });
}

template <class Call>
bool is_a_parents(Call call) {
    try {
        call();
    } catch (const RuntimeError& error) {
        return std::string_view(error.what()).find("a connection by TLS is its process's") == 0;
    }
    return false;
}

TEST_F(TlsHostileTest, LeavesItsParentsConnectionInAForkedChild) {
    run_net([]() -> Coro<> {
        StartServerOptions of_server = {.ssl = support::for_servers()};
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Ends ends = co_await connect_ends(of_server, options);
        pid_t child = ::fork();
        if (child == 0) {
            auto write = [&] { ends.server.writer.write("in the parent's name\n"); };
            auto writelines = [&] { ends.client.writer.writelines(std::vector<std::string>{"a", "b"}); };
            bool is_refused = is_a_parents(write) && is_a_parents(writelines);
            ends.client = {};
            ends.server.writer.close();
            ::_exit(is_refused ? 0 : 1);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
        for (int i = 0; i < 3; ++i) {
            ends.client.writer.write("hello\n");
            std::string line = co_await ends.server.reader.readline();
            EXPECT_EQ(line, "hello\n");
            ends.server.writer.write("and you\n");
            line = co_await ends.client.reader.readline();
            EXPECT_EQ(line, "and you\n");
        }
        ends.client.writer.close();
        ends.server.writer.close();
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

/// What has come stays where it is for the parent, and the child is told so: reading, and by sendfile().
TEST_F(TlsHostileTest, LeavesWhatHasComeToTheParentOfAForkedChild) {
    run_net([]() -> Coro<> {
        StartServerOptions of_server = {.ssl = support::for_servers()};
        OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
        Ends ends = co_await connect_ends(of_server, options);
        co_await sleep(0.01);  // the tickets have come
        std::string told;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { told += context.message + repr(context.exception); });
        ends.client.writer.write("for the parent\n");
        pid_t child = ::fork();
        if (child == 0) {
            co_await sleep(0);
            std::string outcome = co_await outcome_of(ends.server.reader.readline());
            bool is_told = outcome.find("RuntimeError(\"a connection by TLS is its process's") == 0 &&
                           told.find("get_buffer()") != told.npos;
            int file = ::open("/proc/self/exe", O_RDONLY);
            outcome = co_await outcome_of(sendfile(ends.client.writer.transport(), file));
            bool is_refused = outcome.find("RuntimeError(") == 0;  // by io_uring it is closed already
            ::_exit(is_told + 2 * is_refused);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 3);
        std::string line = co_await ends.server.reader.readline();
        EXPECT_EQ(line, "for the parent\n");
        ends.server.writer.write("and back\n");
        line = co_await ends.client.reader.readline();
        EXPECT_EQ(line, "and back\n");
        EXPECT_EQ(told, "");
        ends.client.writer.close();
        ends.server.writer.close();
        co_await ends.client.writer.wait_closed();
        co_await ends.server.writer.wait_closed();
    });
}

/// Otherwise it would go on for ever, and nobody else would have a turn.
TEST_F(TlsHostileTest, WhoOnlyWritesLearnsThatTheOtherEndIsGone) {
    run_net([]() -> Coro<> {
        Ends ends = co_await connect_ends({.ssl = support::for_servers()},
                                          {.ssl = support::for_clients(), .server_hostname = "localhost"});
        support::reset(ends.client.writer);
        std::string piece(65'536, 'x'), outcome = "it goes on";
        try {
            for (int i = 0; i < 300; ++i) {
                ends.server.writer.write(piece);
                co_await ends.server.writer.drain();
            }
        } catch (const ConnectionError&) {
            outcome = "it is over";
        }
        EXPECT_EQ(outcome, "it is over");
        EXPECT_TRUE(ends.server.writer.is_closing());
    });
}

}  // namespace
}  // namespace asyncio
