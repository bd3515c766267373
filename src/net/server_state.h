#pragma once

#include "net/transport.h"

#include <asyncio/context/context.h>
#include <asyncio/core/future.h>
#include <asyncio/loop/io_operation.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/detail/pool.h>
#include <asyncio/net/server.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

/// How a server makes its connections.
struct ServerConfig {
    int backlog = 100;
    std::int64_t limit = 65536;
};

/// What all handles of one Server share. Its loop has a share of it while it serves, each connection another.
class ServerState final : public LoopResource, public Pooled {
public:
    ServerState(LoopCore& loop, std::vector<Socket> sockets, Ref<ClientCallback> callback, ServerConfig config);

    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept;

    /// Removes the path that its unix socket is bound to when it is closed, if it is still this socket's.
    void remove_path_at_close();
    void start_serving();
    void close() noexcept;
    void close_clients() noexcept;
    void abort_clients() noexcept;
    bool is_serving() const noexcept { return serving_; }
    bool is_closed() const noexcept { return closed_; }
    bool is_over() const noexcept { return over_; }
    std::vector<TransportSocket> sockets() const;
    std::string repr() const;
    LoopCore& loop() const noexcept { return *loop_; }
    IntrusiveList<ServerClosedWaiter, ServerWaiters>& waiters() noexcept { return waiters_; }
    Future<>& serving_forever() noexcept { return serving_forever_; }

    void attach(Transport& client) noexcept { clients_.push_back(client); }
    void detach(Transport& client) noexcept;
    void connection_made(Transport& client);
    void loop_is_closing() noexcept override;

private:
    struct Listener;
    ~ServerState();
    static void is_acceptable(ReadyNode& node);
    static void try_again(ReadyNode& node);
    void accept_all(Listener& listener);
    void accepted(Listener& listener, int fd, const SocketAddress& peer);
    void report_failed_accept(Listener& listener, int error);
    void stop_serving(Listener& listener) noexcept;
    void wake_if_over() noexcept;

    unsigned references_ = 0;
    LoopCore* loop_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    Ref<ClientCallback> callback_;
    ServerConfig config_;
    ContextSlot context_;
    bool serving_ = false;
    bool closed_ = false;
    bool over_ = false;  // closed, and all connections have ended
    Future<> serving_forever_;
    IntrusiveList<Transport, ServerClients> clients_;
    IntrusiveList<ServerClosedWaiter, ServerWaiters> waiters_;
};

}  // namespace asyncio::detail
