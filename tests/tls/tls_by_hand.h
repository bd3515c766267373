#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/net_support.h"
#include "net/protocol_support.h"
#include "tls/engine_support.h"

namespace support {

/// A client of a socket pair who speaks TLS by hand, and TLS within it, and only when he is told to.
class TlsByHand {
public:
    /// The other end is for a transport.
    TlsByHand() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
    ~TlsByHand() { ::close(ends_[1]); }
    TlsByHand(const TlsByHand&) = delete;
    TlsByHand& operator=(const TlsByHand&) = delete;

    /// The kernel keeps little of what is sent and not read.
    void have_small_buffers() {
        int size = 8192;
        for (int end : ends_) EXPECT_EQ(::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    }
    int other_end() const { return ends_[0]; }
    asyncio::SSLObject& tls() { return layers_.back().tls; }
    std::string take_outgoing() { return layers_.back().out.read(); }
    void end() { ::shutdown(ends_[1], SHUT_WR); }

    /// As much of it as the socket takes at once.
    std::size_t put(std::string_view bytes) {
        std::size_t all = 0;
        while (!bytes.empty()) {
            auto size = ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size <= 0) break;
            bytes.remove_prefix(static_cast<std::size_t>(size));
            all += static_cast<std::size_t>(size);
        }
        return all;
    }
    void flush() {
        for (std::size_t i = layers_.size(); i-- > 0;) {
            std::string bytes = layers_[i].out.read();
            if (i == 0) put(bytes);
            for (std::string_view rest = bytes; i > 0 && !rest.empty();) {
                rest.remove_prefix(layers_[i - 1].tls.write(rest));
            }
        }
    }
    void write(std::string_view bytes) {
        while (!bytes.empty()) bytes.remove_prefix(tls().write(bytes));
        flush();
    }
    /// And goes on reading.
    void say_goodbye() {
        EXPECT_THROW(tls().unwrap(), asyncio::SSLError);
        flush();
    }
    /// Some of what has come, for the innermost. Gives what recv() has given.
    std::ptrdiff_t receive() {
        std::string bytes(65536, '\0');
        auto size = ::recv(ends_[1], bytes.data(), bytes.size(), 0);
        if (size > 0) layers_[0].in.write(bytes.substr(0, static_cast<std::size_t>(size)));
        if (size == 0) layers_[0].in.write_eof();
        for (std::size_t i = 0; i + 1 < layers_.size(); ++i) layers_[i + 1].in.write(read_of(layers_[i]));
        return size;
    }
    std::string read() { return read_of(layers_.back()); }
    bool has_ended() const { return ended_; }

    /// Begins the handshake of one more layer.
    void add_layer() {
        Layer& layer = layers_.emplace_back();
        layer.tls = for_clients().wrap_bio(layer.in, layer.out, {.server_hostname = "localhost"});
    }
    asyncio::Coro<> shake_hands() {
        for (bool is_over = false; !is_over;) {
            try {
                tls().do_handshake();
                is_over = true;
            } catch (const asyncio::SSLWantReadError&) {
            }
            flush();
            if (is_over) break;
            co_await asyncio::sleep(0.001);
            receive();
        }
    }

private:
    struct Layer {
        asyncio::MemoryBIO in, out;
        asyncio::SSLObject tls;
    };
    std::string read_of(Layer& layer) {
        std::string all;
        try {
            for (;;) {
                std::string part = layer.tls.read(65536);
                if (part.empty()) {
                    ended_ = &layer == &layers_.back();
                    break;
                }
                all += part;
            }
        } catch (const asyncio::SSLError&) {
        }
        return all;
    }

    int ends_[2];
    std::vector<Layer> layers_;
    bool ended_ = false;
};

/// Puts the protocol on the other end, with TLS.
template <class P>
asyncio::Coro<> serve_by_hand(TlsByHand& client, asyncio::ProtocolRef<P> protocol,
                              asyncio::ConnectAcceptedSocketOptions options = {.ssl = for_servers()}) {
    auto serve = [protocol, options, fd = client.other_end()]() -> asyncio::Coro<> {
        auto factory = [&protocol] { return protocol; };
        co_await asyncio::connect_accepted_socket(factory, asyncio::Socket::from_fd(fd), options);
    };
    auto serving = asyncio::create_task(serve);
    client.add_layer();
    co_await client.shake_hands();
    co_await serving;
}

}  // namespace support
