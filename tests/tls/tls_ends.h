#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

#include "net/stream_support.h"
#include "tls/engine_support.h"

namespace support {

/// Both ends of a connection by TLS.
inline asyncio::Coro<Ends> connect_by_tls(asyncio::StartServerOptions of_server = {}) {
    asyncio::OpenConnectionOptions options = {.ssl = for_clients(), .server_hostname = "localhost"};
    of_server.ssl = for_servers();
    return connect_ends(of_server, options);
}

}  // namespace support
