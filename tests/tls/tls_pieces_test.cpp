#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/net_support.h"
#include "net/protocol_support.h"
#include "tls/context_state.h"
#include "tls/engine_support.h"

// A server's ticket comes in two records. Between them OpenSSL takes nothing that the client writes, and cannot say
// goodbye: that goes when the rest has come. CPython: sslproto.py, SSLProtocol._write_backlog

namespace asyncio {
namespace {

using support::Recorder;
using support::run_net;

/// A server who speaks TLS by hand, in small records.
class SmallRecords : public support::TlsEnd {
public:
    SmallRecords() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
        SSLContext context = support::server_context();
        SSL_CTX_set_max_send_fragment(context.state().native(), 512);
        context.load_verify_locations({.cadata = support::authority().certificate});
        context.set_verify_mode(CERT_REQUIRED);  // the ticket holds the certificate, and is longer than that
        begin(context, {.server_side = true});
    }
    ~SmallRecords() { ::close(ends_[1]); }
    SmallRecords(const SmallRecords&) = delete;
    SmallRecords& operator=(const SmallRecords&) = delete;

    int other_end() const { return ends_[0]; }
    int own_end() const { return ends_[1]; }
    /// All but the tickets, which it gives.
    Coro<std::string> shake_hands() {
        while (!is_connected && !failed_by) {
            receive();
            step();
            if (!is_connected) send(out.read());
            co_await sleep(0.001);
        }
        co_return out.read();
    }
    void send(std::string_view bytes) {
        EXPECT_EQ(::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    void receive() {
        char bytes[65536];
        auto size = ::recv(ends_[1], bytes, sizeof bytes, 0);
        if (size > 0) in.write(BytesLike(bytes, static_cast<std::size_t>(size)));
        if (size == 0) in.write_eof();
    }
    /// All that has come by now.
    std::string text() {
        receive();
        return read_all();
    }

private:
    int ends_[2];
};

class TlsPiecesTest : public support::NetTest {
protected:
    /// The half of the first ticket has come; gives the rest.
    static Coro<std::string> begin(SmallRecords& server, ProtocolRef<Recorder> protocol, Seconds timeout = 0.05) {
        auto connect = [&server, protocol, timeout]() -> Coro<> {
            SSLContext context = support::client_context();
            support::Certified me = support::certify({.name = "me", .alt_names = ""}, &support::authority());
            context.load_cert_chain_data({.certdata = me.certificate, .keydata = me.key});
            Socket socket = Socket::from_fd(server.other_end());
            CreateConnectionOptions options = {
                .sock = &socket, .ssl = context, .server_hostname = "localhost", .ssl_shutdown_timeout = timeout};
            auto factory = [&protocol] { return protocol; };
            co_await create_connection(factory, options);
        };
        auto connecting = create_task(connect);
        std::string tickets = co_await server.shake_hands();
        co_await connecting;
        std::size_t record = 5 + static_cast<unsigned char>(tickets[3]) * 256U + static_cast<unsigned char>(tickets[4]);
        EXPECT_LT(record, 600U);
        server.send(tickets.substr(0, record));
        co_await sleep(0.005);
        co_return tickets.substr(record);
    }
    static Coro<> end(ProtocolRef<Recorder> protocol) {
        protocol->transport.abort();
        protocol->transport = Transport();
        co_await sleep(0.005);
    }
};

TEST_F(TlsPiecesTest, KeepWhatIsWrittenBetweenThem) {
    run_net([]() -> Coro<> {
        for (bool is_paused : {false, true}) {
            SmallRecords server;
            std::string told;
            auto protocol = make_protocol<Recorder>(&told);
            std::string rest = co_await begin(server, protocol);
            Transport transport = protocol->transport;
            WriteBufferOptions limits = {.high = 10, .low = 0};
            transport.set_write_buffer_limits(limits);
            if (is_paused) transport.pause_reading();
            transport.write("one ");
            std::vector<std::string> lines = {"two ", "three ", "four "};
            transport.writelines(lines);
            EXPECT_EQ(transport.get_write_buffer_size(), 19U);
            EXPECT_FALSE(transport.is_closing());
            EXPECT_EQ(SSLObject(transport.get_extra_info("ssl_object")).version(), "TLSv1.3");
            EXPECT_EQ(server.text(), "");
            EXPECT_EQ(told, "made;pause;");
            server.send(rest);
            co_await sleep(0.005);
            EXPECT_EQ(server.text(), "one two three four ");
            EXPECT_EQ(told, "made;pause;resume;") << is_paused;
            transport.write("five");
            EXPECT_EQ(server.text(), "five");
            co_await end(protocol);
        }
    });
}

TEST_F(TlsPiecesTest, KeepTheGoodbyeBack) {
    run_net([]() -> Coro<> {
        for (std::string words : {"", "last words"}) {
            SmallRecords server;
            std::string told;
            auto protocol = make_protocol<Recorder>(&told);
            std::string rest = co_await begin(server, protocol);
            protocol->transport.write(words);
            protocol->transport.close();
            co_await sleep(0.005);
            EXPECT_EQ(told, "made;");
            server.send(rest);
            co_await sleep(0.005);
            EXPECT_EQ(server.text(), words);
            EXPECT_EQ(server.tls.read(), "") << "the goodbye";
            server.tls.unwrap();  // says it, too
            server.send(server.out.read());
            co_await sleep(0.005);
            EXPECT_EQ(told, "made;eof;lost;");
            co_await end(protocol);
        }
    });
}

TEST_F(TlsPiecesTest, CountWhatWaitedForThemAsNoAnswer) {  // answers to who does not read are bounded
    run_net([]() -> Coro<> {
        SmallRecords server;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        std::string out = co_await begin(server, protocol, 10);
        std::string words(4'000'000, 'w');
        protocol->transport.write(words);
        protocol->transport.close();
        co_await sleep(0.005);
        // The server has much to say, too, and reads only when it has.
        std::string much(4'000'000, 'm');
        for (std::string_view left = much; !left.empty();) left.remove_prefix(server.tls.write(left.substr(0, 16384)));
        out += server.out.read();
        for (std::string_view left = out; !left.empty() && told.find("lost") == told.npos;) {
            auto sent = ::send(server.own_end(), left.data(), left.size(), MSG_NOSIGNAL);
            if (sent > 0) left.remove_prefix(static_cast<std::size_t>(sent));
            co_await sleep(sent > 0 ? 0 : 0.001);
        }
        std::string got;
        while (got.size() < words.size() && told.find("lost") == told.npos) {
            got += server.text();
            co_await sleep(0.001);
        }
        EXPECT_EQ(got.size(), words.size()) << told;
        co_await end(protocol);
    });
}

TEST_F(TlsPiecesTest, OfWhichTheSecondNeverComesAreNotAwaitedForEver) {
    run_net([]() -> Coro<> {
        SmallRecords server;
        std::string told;
        auto protocol = make_protocol<Recorder>(&told);
        co_await begin(server, protocol);
        protocol->transport.write("in vain");
        protocol->transport.close();
        for (int i = 0; i < 1000 && told == "made;"; ++i) co_await sleep(0.001);
        EXPECT_EQ(told, "made;lost by TimeoutError('SSL shutdown timed out');");
        co_await end(protocol);
    });
}

}  // namespace
}  // namespace asyncio
