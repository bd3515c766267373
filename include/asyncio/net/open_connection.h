#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/host_port.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/net/tls_option.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace asyncio {

/// A reader and a writer: the two sides of one connection.
struct Streams {
    StreamReader reader;
    StreamWriter writer;
};

/// The keyword arguments of `open_connection()`.
struct OpenConnectionOptions {
    std::int64_t limit = 65536;  ///< of a line in bytes; above twice that the other end is held up
    AddressFamily family = AddressFamily::UNSPEC;
    int proto = 0;
    int flags = 0;             ///< of getaddrinfo()
    Socket* sock = nullptr;    ///< one that is connected already, which is taken over at once; instead of host and port
    HostPort local_addr = {};  ///< where to connect from
    /// How long to wait for one address before the next is tried beside it; none: one after the other. 0.25 is usual.
    std::optional<Seconds> happy_eyeballs_delay = {};
    /// How many addresses of the first family come before families alternate; none: 1 with a delay, else no reordering.
    std::optional<int> interleave = {};
    bool all_errors = false;  ///< throw an ExceptionGroup of all that went wrong
    TlsOption ssl = {};       ///< an SSLContext of `<asyncio/tls.h>`: the connection is by TLS
    /// Whom the certificate has to be for; none: the host.
    std::optional<std::string_view> server_hostname = {};
    std::optional<Seconds> ssl_handshake_timeout = {};  ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};   ///< none: 30 s
    const SSLSession* session = nullptr;                ///< of an earlier connection; the call copies it
};

/// The keyword arguments of `open_unix_connection()`.
struct OpenUnixConnectionOptions {
    std::int64_t limit = 65536;
    Socket* sock = nullptr;
    TlsOption ssl = {};  ///< an SSLContext of `<asyncio/tls.h>`: the connection is by TLS
    std::optional<std::string_view> server_hostname = {};  ///< whom the certificate has to be for; needed with `ssl`
    std::optional<Seconds> ssl_handshake_timeout = {};     ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};      ///< none: 30 s
    const SSLSession* session = nullptr;                   ///< of an earlier connection; the call copies it
};

/// Connects to a host by TCP: looks up its addresses and tries one after the other.
///
/// Throws what the last of them said, ConnectionRefusedError for example, with the address in the text; if they said
/// different things, an OSError with all of them; gaierror if there is no such host. Cancelling closes what was opened.
/// ```cpp
/// auto [reader, writer] = co_await asyncio::open_connection("127.0.0.1", 8080);
/// ```
/// Python: asyncio.open_connection.
Coro<Streams> open_connection(Host host, Port port, OpenConnectionOptions options = {});
/// For a socket that is connected already: `open_connection({.sock = &socket})`.
Coro<Streams> open_connection(OpenConnectionOptions options);

/// Connects to a unix socket; an abstract one if the path's first byte is zero. Cancelling closes what was opened.
/// Python: asyncio.open_unix_connection.
Coro<Streams> open_unix_connection(std::string_view path, OpenUnixConnectionOptions options = {});
Coro<Streams> open_unix_connection(OpenUnixConnectionOptions options);

}  // namespace asyncio
