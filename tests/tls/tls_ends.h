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

/// And waits until both have ended.
inline asyncio::Coro<> close_both(Ends& ends) {
    ends.client.writer.close();
    ends.server.writer.close();
    co_await ends.client.writer.wait_closed();
    co_await ends.server.writer.wait_closed();
}

}  // namespace support
