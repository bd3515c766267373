#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/far_ref.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/manager_traits.h>
#include <asyncio/net/socket.h>
#include <asyncio/net/waiter_call.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

class EventLoop;

namespace detail {

class ServerState;
struct ServerWaiters;  // the tag of a server's list of those who wait for its end

void add_handle(ServerState& server) noexcept;
void drop_handle(ServerState& server) noexcept;
/// Keeps a server.
using ServerHandle = FarRef<ServerState>;

class [[nodiscard]] [[gnu::warn_unused]] ServerClosedWaiter final : public Waiter, public ListHook<ServerWaiters> {
public:
    explicit ServerClosedWaiter(ServerHandle server) noexcept
        : Waiter(WaitKind::server, &server_), server_(std::move(server)) {}
    void tell(WaitStory& story) const override;
    bool await_ready() const;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    void await_resume() { check(); }

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void on_cancel() noexcept override { ListHook<ServerWaiters>::unlink(); }
    ServerHandle server_;
};

}  // namespace detail

/// A server that listens, as `start_server()` gives it. Copies name the same server.
///
/// It goes on serving when no handle is left, until it is closed or its loop is. `with(server, body)` closes it at the
/// end of the body and waits for that. Python: asyncio.Server.
class Server {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    Server() noexcept = default;

    explicit operator bool() const noexcept { return server_.get() != nullptr; }
    friend bool operator==(const Server& a, const Server& b) noexcept { return a.server_.get() == b.server_.get(); }

    /// Begins to accept connections, if it does not yet. Goes on after one pass. Cancelled meanwhile, it accepts all
    /// the same.
    Coro<> start_serving() const;
    /// The same, and waits for ever: until the task is cancelled, which closes the server, its connections, and waits
    /// for their end, or until it is closed. Throws CancelledError in both cases; RuntimeError if it is closed already,
    /// or somebody else does the same.
    Coro<> serve_forever() const;
    /// Whether it accepts connections. Python: server.is_serving().
    bool is_serving() const;
    /// Listens no more. Connections go on. Removes the path of a unix socket.
    void close() const;
    /// Closes the streams of all its connections, as their `close()` does. Python 3.13.
    void close_clients() const;
    /// The same, as their `abort()` does. Python 3.13.
    void abort_clients() const;
    /// Waits until it is closed and all its connections have ended.
    auto wait_closed() const { return detail::WaiterCall<detail::ServerClosedWaiter, detail::ServerHandle>(handle()); }
    /// The sockets that it listens on; none when it is closed.
    std::vector<TransportSocket> sockets() const;
    /// Its loop. Throws RuntimeError if that was destroyed. Python: server.get_loop().
    EventLoop& get_loop() const;

    void aenter() const noexcept {}
    Coro<> aexit(std::exception_ptr error) const;

    /// For the library.
    explicit Server(detail::ServerState* server) noexcept : server_(server) {}
    const detail::ServerHandle& handle() const;

private:
    detail::ServerHandle server_;
};

namespace detail {

template <>
inline constexpr bool is_handle<Server> = true;

}  // namespace detail

/// `<Server sockets=(<asyncio.TransportSocket fd=8, …>,)>`, as Python prints it.
std::string repr(const Server& server);

}  // namespace asyncio
