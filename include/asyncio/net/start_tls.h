#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/tls_option.h>
#include <asyncio/net/transports.h>

#include <utility>

namespace asyncio {

namespace detail {

Coro<Transport> upgrade_to_tls(const Transport& transport, Ref<BaseProtocol> protocol, TlsOption ssl,
                               const StartTlsOptions& options);

}  // namespace detail

/// Puts TLS between a connection and its protocol, and gives the transport that the protocol has to use from now on;
/// when this goes on the handshake is over. The protocol's `connection_made()` is not called again.
///
/// If it fails, or is cancelled, the connection is closed. What is written to the old transport meanwhile, or later,
/// throws RuntimeError: it would go out in the clear. Once that is closed, it is dropped. Throws TypeError for a
/// transport that is no connection. Python: loop.start_tls.
inline Coro<Transport> start_tls(const Transport& transport, ProtocolRef<> protocol, TlsOption sslcontext,
                                 StartTlsOptions options = {}) {
    return detail::upgrade_to_tls(transport, std::move(protocol), sslcontext, options);
}

}  // namespace asyncio
