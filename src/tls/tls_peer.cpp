#include "tls/tls_transport.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/tls/ssl_errors.h>

#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

// Errors say with whom: in the place where Python's say in which line of _ssl.c.

namespace asyncio::detail {

namespace {

/// "127.0.0.1:443", "[::1]:443", "'/run/socket'"; empty if it has none. A path may be the other end's, who might put a
/// line of his own into a log: so it is quoted.
std::string peer_place(const SocketAddress& address) {
    if (address.family() == AddressFamily::INET) return address.host() + ":" + std::to_string(address.port());
    if (address.family() == AddressFamily::INET6) return "[" + address.host() + "]:" + std::to_string(address.port());
    return address.path().empty() ? std::string() : repr(address);
}

template <class Error>
std::exception_ptr renamed(const Error& error, const std::string& text) {
    SSLErrorDetails details{.library = error.library(), .reason = error.reason(), .host = error.host()};
    if constexpr (std::is_same_v<Error, SSLCertVerificationError>) {
        details.verify_code = error.verify_code();
        details.verify_message = error.verify_message();
    }
    return std::make_exception_ptr(Error(text, std::move(details)));
}

/// Null if it is of another type, a program's own perhaps.
template <class Error>
const Error* exactly(const SSLError& error) noexcept {
    return typeid(error) == typeid(Error) ? static_cast<const Error*>(&error) : nullptr;
}

}  // namespace

/// A host that was given by its address is not said twice.
std::string TlsTransport::with_peer(std::string text, const char* how) const {
    std::string host = engine_->hostname().value_or("");
    SocketAddress address = lower_ ? lower_->get_extra_info("peername").address() : SocketAddress();
    std::string place = peer_place(address);
    if (!place.empty() && host == address.host()) host.clear();
    if (host.empty() && place.empty()) return text;
    text.append(" (").append(how).append(" ").append(host);
    if (!host.empty() && !place.empty()) text += ", ";
    return text.append(place).append(")");
}

/// What is about a server's certificate names the host already, and what a callback has thrown is left alone.
std::exception_ptr TlsTransport::with_peer(std::exception_ptr error, const char* how) const noexcept {
    const auto* known = exception_cast<SSLError>(error);
    if (known == nullptr) return error;
    try {
        std::string text = with_peer(known->what(), how);
        if (const auto* any = exactly<SSLError>(*known)) return renamed(*any, text);
        if (const auto* cut = exactly<SSLEOFError>(*known)) return renamed(*cut, text);
        if (const auto* end = exactly<SSLZeroReturnError>(*known)) return renamed(*end, text);
        const auto* refused = exactly<SSLCertVerificationError>(*known);
        if (refused != nullptr && refused->host().empty()) return renamed(*refused, text);
    } catch (...) {  // no memory for it
    }
    return error;
}

}  // namespace asyncio::detail
