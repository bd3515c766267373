#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <openssl/err.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "tls/tls_by_hand.h"

namespace support {

/// What must hold whatever comes; told to libFuzzer and gtest alike.
inline void must_hold(bool holds) {
    if (!holds) std::abort();
}

/// Reads numbers from what a fuzzer gives, zeros at its end.
class Choices {
public:
    explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    unsigned next() {
        if (bytes_.empty()) return 0;
        unsigned byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }
    bool is_over() const { return bytes_.empty(); }
    std::string_view rest() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

private:
    std::span<const std::uint8_t> bytes_;
};

/// A conversation of which some bytes are changed, left out or added where the choices say so.
inline void talk_with_changes(Choices choices) {
    static const asyncio::SSLContext older = [] {
        asyncio::SSLContext context = client_context();
        context.set_maximum_version(asyncio::TLSVersion::TLSv1_2);
        return context;
    }();
    unsigned kind = choices.next();
    TlsEnds ends(kind % 2 == 0 ? for_clients() : older, for_servers());
    std::string to_server, to_client, from_client, from_server;
    auto carry = [&](TlsEnd& from, TlsEnd& to) {
        std::string bytes = from.out.read();
        while (!choices.is_over() && choices.next() % 4 != 0) {
            std::size_t at = bytes.empty() ? 0 : (choices.next() << 8 | choices.next()) % bytes.size();
            unsigned what = choices.next();
            if (what % 4 == 0 && !bytes.empty()) bytes[at] = static_cast<char>(choices.next());
            if (what % 4 == 1) bytes.insert(at, 1 + what / 8, static_cast<char>(choices.next()));
            if (what % 4 == 2) bytes.erase(at, 1 + what / 8);
            if (what % 4 == 3) bytes.resize(at);
        }
        try {
            to.in.write(bytes);
            if (kind / 4 % 8 == 7) to.in.write_eof();
        } catch (const asyncio::SSLError&) {  // after the end
        }
    };
    auto use = [](TlsEnd& end, std::string& sent, std::string& received) {
        end.step();
        if (!end.is_connected) return;
        try {
            sent += std::string(1000, 'x').substr(0, end.tls.write(std::string(1000, 'x')));
            for (std::string part = "x"; !part.empty(); received += part) part = end.tls.read(3000);
        } catch (const asyncio::SSLError&) {
        }
    };
    for (int round = 0; round < 5; ++round) {
        use(ends.client, to_server, from_server);
        use(ends.server, to_client, from_client);
        must_hold(ERR_peek_error() == 0);
        carry(ends.client, ends.server);
        carry(ends.server, ends.client);
    }
    must_hold(to_server.starts_with(from_client) && to_client.starts_with(from_server));
}

/// A protocol that may be told everything once only.
class Wary final : public asyncio::Protocol {
public:
    explicit Wary(bool* lost) : lost_(lost) {}
    void connection_made(asyncio::Transport its_transport) override {
        must_hold(!std::exchange(is_made_, true));
        transport = its_transport;
    }
    void data_received(std::string_view data) override { must_hold(is_made_ && !*lost_ && !data.empty()); }
    bool eof_received() override {
        must_hold(is_made_ && !std::exchange(has_ended_, true));
        return false;
    }
    void connection_lost(std::exception_ptr) override {
        must_hold(is_made_ && !std::exchange(*lost_, true));
        transport = asyncio::Transport();
    }
    asyncio::Transport transport;

private:
    bool* lost_;
    bool is_made_ = false;
    bool has_ended_ = false;
};

/// What a transport receives after a handshake, or instead of one: it ends, and nobody else is told.
inline void send_to_transport(Choices choices) {
    asyncio::run([](Choices given) -> asyncio::Coro<> {
        using namespace std::chrono_literals;
        asyncio::get_running_loop().set_exception_handler(
            [](asyncio::EventLoop&, const asyncio::ExceptionContext&) { must_hold(false); });
        unsigned kind = given.next();
        TlsByHand client;
        bool lost = false;
        auto protocol = asyncio::make_protocol<Wary>(&lost);
        asyncio::ConnectAcceptedSocketOptions options = {.ssl = for_servers()};
        bool shakes_hands = kind % 2 == 0;
        asyncio::Task<> serving;
        if (shakes_hands) {
            co_await serve_by_hand(client, protocol, options);
        } else {
            auto serve = [protocol, options, fd = client.other_end()]() -> asyncio::Coro<> {
                auto factory = [&protocol] { return protocol; };
                co_await asyncio::connect_accepted_socket(factory, asyncio::Socket::from_fd(fd), options);
            };
            serving = asyncio::create_task(serve);
            co_await asyncio::sleep(0);
        }
        std::size_t part = 1 + kind / 8 * 40;
        for (std::string_view rest = given.rest(); !rest.empty(); rest.remove_prefix(std::min(part, rest.size()))) {
            if (shakes_hands && kind / 2 % 2 == 0) {
                client.write(rest.substr(0, part));
            } else {
                client.put(rest.substr(0, part));
            }
            co_await asyncio::sleep(0);
        }
        client.end();
        for (int i = 0; i < 2000 && (shakes_hands ? !lost : !serving.done()); ++i) co_await asyncio::sleep(100us);
        must_hold(shakes_hands ? lost : serving.done() && serving.exception() && !lost);
        must_hold(ERR_peek_error() == 0);
    }(choices));
}

/// Any input at all.
inline void try_tls_input(std::span<const std::uint8_t> bytes) {
    Choices choices(bytes);
    choices.next() % 4 == 0 ? send_to_transport(choices) : talk_with_changes(choices);
}

}  // namespace support
