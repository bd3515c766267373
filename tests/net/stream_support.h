#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/start_server.h>
#include <asyncio/sync/queue.h>

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "net/net_support.h"

namespace support {

/// Both ends of a connection, made by a server that goes when this does.
struct Ends {
    asyncio::Streams client;
    asyncio::Streams server;
};

/// Connects to a server of ours and gives both ends.
inline asyncio::Coro<Ends> connect_ends(asyncio::StartServerOptions server_options = {},
                                        asyncio::OpenConnectionOptions client_options = {}) {
    asyncio::Queue<asyncio::Streams> accepted;
    auto keep = [&](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
        accepted.put_nowait(asyncio::Streams{std::move(reader), std::move(writer)});
    };
    asyncio::Server server = co_await asyncio::start_server(keep, "127.0.0.1", 0, server_options);
    int port = server.sockets()[0].getsockname().port();
    Ends ends;
    ends.client = co_await asyncio::open_connection("127.0.0.1", port, client_options);
    ends.server = co_await accepted.get();
    server.close();
    co_return ends;
}

inline int port_of(const asyncio::Server& server) { return server.sockets().at(0).getsockname().port(); }

/// A folder that goes with its content.
class Folder {
public:
    Folder() {
        char name[] = "/tmp/asyncio-test-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Folder() {
        ::unlink(path("sock").c_str());
        ::rmdir(path_.c_str());
    }
    Folder(const Folder&) = delete;
    std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Drops a connection so that the other end sees a reset.
inline void reset(const asyncio::StreamWriter& writer) {
    linger at_once{1, 0};
    writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_LINGER,
                                                        asyncio::BytesLike(&at_once, sizeof at_once));
    writer.abort();
}

/// Writes blocks until some of it is kept.
inline std::size_t fill(const asyncio::StreamWriter& writer) {
    std::string block(100'000, 'x');
    std::size_t written = 0;
    while (writer.get_write_buffer_size() == 0) {
        writer.write(block);
        written += block.size();
    }
    return written;
}

}  // namespace support
