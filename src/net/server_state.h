#pragma once

#include "net/socket_transport.h"

#include <asyncio/context/context.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/server.h>

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

/// What all handles of one Server share. Its loop has a share of it while it serves, each connection another.
class ServerState final : public LoopResource, public Pooled {
public:
    ServerState(LoopCore& loop, std::vector<Socket> sockets, Ref<ProtocolMaker> maker, int backlog);

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
    std::string repr() const override;
    LoopCore& loop() const noexcept { return *loop_; }
    IntrusiveList<ServerClosedWaiter, ServerWaiters>& waiters() noexcept { return waiters_; }
    Future<>& serving_forever() noexcept { return serving_forever_; }

    // Its connections.
    void attach(SocketTransport& client) noexcept { clients_.push_back(client); }
    void detach(SocketTransport& client) noexcept;
    void loop_is_closing() noexcept override;

private:
    struct Listener;
    ~ServerState();
    static void is_acceptable(ReadyNode& node);
    static void try_again(ReadyNode& node);
    void go_on_accepting(Listener& listener);
    void accept_all(Listener& listener);
    void accepted(Listener& listener, int fd, const SocketAddress& peer);
    void report_failed_accept(Listener& listener, int error);
    void stop_serving(Listener& listener) noexcept;
    void wake_if_over() noexcept;
    void cancel_serving_forever() noexcept;

    unsigned references_ = 0;
    LoopCore* loop_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    Ref<ProtocolMaker> maker_;  // null when it is closed
    int backlog_;
    pid_t path_process_ = 0;  // that was to remove the path
    ContextSlot context_;     // in which it began to serve
    bool serving_ = false;
    bool closed_ = false;
    bool over_ = false;  // closed, and all connections have ended
    Future<> serving_forever_;
    IntrusiveList<SocketTransport, ServerClients> clients_;
    IntrusiveList<ServerClosedWaiter, ServerWaiters> waiters_;
};

}  // namespace asyncio::detail
