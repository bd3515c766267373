#include <asyncio/net/server.h>

#include "core/meant_future.h"
#include "core/task_loop.h"
#include "core/wait_story.h"
#include "net/server_state.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/sleep.h>

namespace asyncio {

namespace detail {

void add_handle(ServerState& server) noexcept { server.inc_ref(); }
void drop_handle(ServerState& server) noexcept {
    server.loop().note_thread("a handle of a Server went in a thread that is not its loop's");
    server.dec_ref();
}

bool ServerClosedWaiter::await_ready() const {
    server_.get()->loop().check_thread();
    return server_.get()->is_over();
}

void ServerClosedWaiter::tell(WaitStory& story) const {
    story.names("Server", server_.get(), server_.get()->is_closed() ? "closed, with connections" : "not closed");
}

void ServerClosedWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    server_.get()->waiters().push_back(*this);
    suspend(task, frame);
}

namespace {

Coro<> start_serving_and_pass(ServerHandle server) {
    server.get()->start_serving();
    co_await sleep(0);  // as in CPython
}

std::string text_of_serving(const void* server, int) {
    return "<serving of " + static_cast<const ServerState*>(server)->repr() + ">";
}

// CPython: base_events.py, Server.serve_forever
Coro<> serve_until_cancelled(Server server) {
    ServerState& state = *server.handle().get();
    if (state.serving_forever()) {
        throw RuntimeError("server " + repr(server) + " is already being awaited on serve_forever()");
    }
    if (state.is_closed()) throw RuntimeError("server " + repr(server) + " is closed");
    state.start_serving();
    Future<> for_ever(Ref<FutureBase>(new FutureState<void>(state.loop())));
    state.serving_forever() = for_ever;
    std::exception_ptr cancelled;
    try {
        co_await MeantFuture(for_ever, WaitKind::server, text_of_serving, &state);
    } catch (const CancelledError&) {
        cancelled = std::current_exception();
    }
    if (cancelled) {
        try {
            server.close();
            server.close_clients();
            co_await server.wait_closed();
        } catch (...) {  // another cancellation; the first is told
        }
    }
    state.serving_forever() = {};
    if (cancelled) std::rethrow_exception(cancelled);
}

Coro<> close_and_wait(Server server) {
    server.close();
    co_await server.wait_closed();
}

}  // namespace
}  // namespace detail

const detail::ServerHandle& Server::handle() const {
    if (server_.get() == nullptr) {
        throw RuntimeError("this handle is empty: it was default-constructed or moved from, and names no server");
    }
    return server_;
}

Coro<> Server::start_serving() const {
    handle().get()->loop().check_thread();
    return detail::start_serving_and_pass(handle());
}
Coro<> Server::serve_forever() const {
    handle().get()->loop().check_thread();
    return detail::serve_until_cancelled(*this);
}
bool Server::is_serving() const { return handle().get()->is_serving(); }
namespace {

/// For what changes something. In debug mode throws RuntimeError in another thread.
detail::ServerState& server_in_its_thread(const detail::ServerHandle& handle) {
    handle.get()->loop().check_thread();
    return *handle.get();
}

}  // namespace

void Server::close() const { server_in_its_thread(handle()).close(); }
void Server::close_clients() const { server_in_its_thread(handle()).close_clients(); }
void Server::abort_clients() const { server_in_its_thread(handle()).abort_clients(); }
std::vector<TransportSocket> Server::sockets() const { return handle().get()->sockets(); }
EventLoop& Server::get_loop() const { return task_loop(handle().get()->loop()).facade(); }
Coro<> Server::aexit(std::exception_ptr) const { return detail::close_and_wait(*this); }

std::string repr(const Server& server) { return server ? server.handle().get()->repr() : "None"; }

}  // namespace asyncio
