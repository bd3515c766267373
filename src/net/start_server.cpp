#include <asyncio/net/start_server.h>

#include "loop/loop_core.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/net/create_server.h>
#include <asyncio/net/stream_reader_protocol.h>

#include <cstdint>
#include <utility>

namespace asyncio::detail {

namespace {

/// The protocols of streams.
class StreamMaker final : public ProtocolMaker {
public:
    StreamMaker(Ref<ClientCallback> callback, std::int64_t limit) : callback_(std::move(callback)), limit_(limit) {}
    Ref<BaseProtocol> make() override {
        Ref<ReaderState> reader(new ReaderState(running_core(), limit_));
        return Ref<BaseProtocol>(new StreamReaderProtocol(std::move(reader), callback_));
    }

private:
    Ref<ClientCallback> callback_;
    std::int64_t limit_;
};

Coro<Server> refuse_limit() {
    throw ValueError("Limit cannot be <= 0");
    co_return Server();
}

}  // namespace

// CPython: streams.py, start_server
Coro<Server> start_server(Ref<ClientCallback> callback, OwnedHosts hosts, bool has_address, Port port,
                          const StartServerOptions& options) {
    if (options.limit <= 0) return refuse_limit();
    Ref<ProtocolMaker> maker(new StreamMaker(std::move(callback), options.limit));
    return create_server(std::move(maker), std::move(hosts), has_address, port,
                         {.family = options.family,
                          .flags = options.flags,
                          .sock = options.sock,
                          .backlog = options.backlog,
                          .reuse_address = options.reuse_address,
                          .reuse_port = options.reuse_port,
                          .keep_alive = options.keep_alive,
                          .start_serving = options.start_serving,
                          .ssl = options.ssl,
                          .ssl_handshake_timeout = options.ssl_handshake_timeout,
                          .ssl_shutdown_timeout = options.ssl_shutdown_timeout});
}

Coro<Server> start_unix_server(Ref<ClientCallback> callback, std::optional<std::string_view> path,
                               const StartUnixServerOptions& options) {
    if (options.limit <= 0) return refuse_limit();
    Ref<ProtocolMaker> maker(new StreamMaker(std::move(callback), options.limit));
    return create_unix_server(std::move(maker), path,
                              {.sock = options.sock,
                               .backlog = options.backlog,
                               .start_serving = options.start_serving,
                               .cleanup_socket = options.cleanup_socket,
                               .ssl = options.ssl,
                               .ssl_handshake_timeout = options.ssl_handshake_timeout,
                               .ssl_shutdown_timeout = options.ssl_shutdown_timeout});
}

}  // namespace asyncio::detail
