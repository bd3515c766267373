#pragma once

#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

#include "tls/certificates.h"

namespace support {

inline asyncio::SSLContext client_context(const Certified& trusted = authority()) {
    return asyncio::create_default_context(asyncio::Purpose::SERVER_AUTH, {.cadata = trusted.certificate});
}
inline asyncio::SSLContext server_context(const Certified& shown = localhost()) {
    asyncio::SSLContext context = asyncio::create_default_context(asyncio::Purpose::CLIENT_AUTH);
    context.load_cert_chain_data({.certdata = shown.certificate, .keydata = shown.key});
    return context;
}

/// The same for those who change nothing.
inline const asyncio::SSLContext& for_clients() {
    static const asyncio::SSLContext context = client_context();
    return context;
}
inline const asyncio::SSLContext& for_servers() {
    static const asyncio::SSLContext context = server_context();
    return context;
}

/// An error's text, in which the other end's port is another each time.
inline std::string without_port(std::string text) {
    std::string_view host = "127.0.0.1:";
    std::size_t at = text.find(host);
    if (at == text.npos) return text;
    at += host.size();
    std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    return text.replace(at, end - at, "PORT");
}

/// One end of a connection without a transport.
struct TlsEnd {
    asyncio::MemoryBIO in, out;
    asyncio::SSLObject tls;
    bool is_connected = false;
    std::exception_ptr failed_by;

    void begin(const asyncio::SSLContext& context, const asyncio::WrapBioOptions& options) {
        tls = context.wrap_bio(in, out, options);
    }
    /// Goes on with the handshake.
    void step() {
        if (is_connected || failed_by) return;
        try {
            tls.do_handshake();
            is_connected = true;
        } catch (const asyncio::SSLWantReadError&) {
        } catch (...) {
            failed_by = std::current_exception();
        }
    }
    std::string read_all() {
        std::string all;
        try {
            for (std::string part = "x"; !part.empty(); all += part) part = tls.read(5000);
        } catch (const asyncio::SSLWantReadError&) {
        }
        return all;
    }
};

/// A client and a server, and the wire between them.
struct TlsEnds {
    explicit TlsEnds(const asyncio::SSLContext& client_side = client_context(),
                     const asyncio::SSLContext& server_side = server_context(),
                     std::optional<std::string_view> host = "localhost", const asyncio::SSLSession& session = {}) {
        client.begin(client_side, {.server_hostname = host, .session = &session});
        server.begin(server_side, {.server_side = true});
    }
    void carry() {
        server.in.write(client.out.read());
        client.in.write(server.out.read());
    }
    /// Until nothing more comes of it.
    bool shake_hands() {
        for (int i = 0; i < 8; ++i) {
            client.step();
            server.step();
            carry();
        }
        return client.is_connected && server.is_connected;
    }
    std::string client_error() const { return asyncio::str(client.failed_by); }
    std::string server_error() const { return asyncio::str(server.failed_by); }

    TlsEnd client, server;
};

}  // namespace support
