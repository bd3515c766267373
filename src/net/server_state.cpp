#include "net/server_state.h"

#include "core/task_loop.h"
#include "net/tls_layer.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr double accept_retry_delay = 1;  // CPython: ACCEPT_RETRY_DELAY

}  // namespace

/// A socket that listens.
struct ServerState::Listener {
    struct Accept : IoOperation {
        Accept(Listener& its_listener) noexcept
            : IoOperation(IoCall::accept, &ServerState::is_acceptable), listener(its_listener) {}
        Listener& listener;
    };
    struct Retry : TimerNode {
        Retry(Listener& its_listener) noexcept : TimerNode(&ServerState::try_again), listener(its_listener) {}
        Listener& listener;
    };

    Listener(ServerState& its_server, Ref<SocketState> its_socket) noexcept
        : server(its_server), socket(std::move(its_socket)), accept(*this), retry(*this) {
        accept.descriptor = {socket->fd, socket->serial};
        accept.repeats = true;
    }
    int wait_for_connections() noexcept;

    ServerState& server;
    Ref<SocketState> socket;
    Accept accept;
    Retry retry;
    SocketAddress peer;
    std::string path;                                  // to be removed, if it is still ours
    std::optional<std::pair<dev_t, ino_t>> path_file;  // then it names this file
};

ServerState::ServerState(LoopCore& loop, std::vector<Socket> sockets, Ref<ProtocolMaker> maker, int backlog)
    : loop_(&loop), maker_(std::move(maker)), backlog_(backlog) {
    for (Socket& socket : sockets) listeners_.push_back(std::make_unique<Listener>(*this, socket.state()));
    for (Socket& socket : sockets) socket.release();
    loop.inc_ref();
    loop.resources.push_back(*this);
}

ServerState::~ServerState() { loop_->dec_ref(); }

void ServerState::dec_ref() noexcept {
    if (--references_ > 0) return;
    if (!closed_) {
        // Nobody can start it any more.
        ++references_;
        close();
        --references_;
    }
    delete this;
}

std::vector<TransportSocket> ServerState::sockets() const {
    std::vector<TransportSocket> all;
    if (closed_) return all;
    for (const auto& listener : listeners_) all.emplace_back(listener->socket);
    return all;
}

std::string ServerState::repr() const {
    std::vector<TransportSocket> all = sockets();
    std::string text = "<Server sockets=(";
    for (std::size_t i = 0; i < all.size(); ++i) text += (i > 0 ? ", " : "") + asyncio::repr(all[i]);
    return text + (all.size() == 1 ? ",)>" : ")>");
}

// Accepting.

void ServerState::start_serving() {
    if (serving_) return;
    if (closed_) throw RuntimeError("server " + repr() + " is closed");
    context_ = ContextSlot::copy_current();
    try {
        for (const auto& listener : listeners_) {
            listener->socket->listen(backlog_);
            if (int error = listener->wait_for_connections()) throw_os_error(error);
        }
    } catch (...) {  // all of them, or none
        for (const auto& listener : listeners_) listener->accept.stop();
        throw;
    }
    serving_ = true;
    inc_ref();  // the loop's
}

/// Zero, or why it cannot.
int ServerState::Listener::wait_for_connections() noexcept {
    accept.at_once = false;
    accept.address = peer.native_room();
    accept.address_size = SocketAddress::capacity;
    return accept.start(server.loop_->io()) ? static_cast<int>(-accept.result) : 0;
}

void ServerState::is_acceptable(ReadyNode& node) {
    Listener& listener = static_cast<Listener::Accept&>(static_cast<IoOperation&>(node)).listener;
    listener.server.accept_all(listener);
}

void ServerState::try_again(ReadyNode& node) {
    Listener& listener = static_cast<Listener::Retry&>(static_cast<TimerNode&>(node)).listener;
    listener.server.go_on_accepting(listener);
}

void ServerState::go_on_accepting(Listener& listener) {
    if (int error = listener.wait_for_connections()) report_failed_accept(listener, error);
}

/// All that wait, but not more than a backlog of them in one pass.
void ServerState::accept_all(Listener& listener) {
    Ref<ServerState> keep(this);
    IoOperation& accept = listener.accept;
    for (int left = std::max(backlog_, 0); left >= 0; --left) {
        accept.address = listener.peer.native_room();
        accept.address_size = SocketAddress::capacity;
        accept.at_once = true;
        bool over = accept.is_waiting() ? accept.finish() : accept.start(loop_->io());
        if (!over) return;
        if (accept.result >= 0) {
            listener.peer.set_native_size(accept.address_size);
            accepted(listener, static_cast<int>(accept.result), listener.peer);
            if (closed_) return;  // by the exception handler, which was told that it failed
        } else if (accept.result != -ECONNABORTED) {
            return report_failed_accept(listener, static_cast<int>(-accept.result));
        }
    }
    go_on_accepting(listener);
}

void ServerState::accepted(Listener& listener, int fd, const SocketAddress& peer) {
    const SocketState& socket = *listener.socket;
    try {
        Socket connection = socket_of(fd, socket.family, socket.kind, socket.proto);
        TaskName number;  // in CPython a task makes the transport, and takes a number
        number.assign_number();
        ContextScope scope(loop_->current_context(), context_);
        auto* transport = new SocketTransport(*loop_, std::move(connection), nullptr, peer, Ref<ServerState>(this));
        transport->begin_with(maker_);
    } catch (...) {
        exception_handler_of(*loop_).report({.exception = std::current_exception()}, [](ExceptionContext& context) {
            context.message = "Error on transport creation for incoming connection";
        });
    }
}

/// Nobody is there to be told but the exception handler. Whatever it is, it may pass.
void ServerState::report_failed_accept(Listener& listener, int error) {
    if ((error == EMFILE || error == ENFILE) && loop_->gives_up_a_descriptor()) {
        return schedule(*loop_, listener.retry);  // behind the end of what was given up
    }
    bool out_of_resources = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    try {
        schedule_at(*loop_, loop_->time() + accept_retry_delay, listener.retry);
    } catch (...) {  // no memory for a timer; a server that is deaf for ever would be worse than one that hurries
        schedule(*loop_, listener.retry);
    }
    std::exception_ptr failure;
    try {
        failure = make_os_error(error);
    } catch (const std::bad_alloc&) {
        failure = std::current_exception();
    }
    exception_handler_of(*loop_).tell({.exception = failure}, [&](ExceptionContext& context) {
        context.message = out_of_resources ? "socket.accept() out of system resource" : "socket.accept() failed";
        context.socket = asyncio::repr(TransportSocket(listener.socket));
    });
}

// The end.

void ServerState::remove_path_at_close() {
    path_process_ = ::getpid();
    for (const auto& listener : listeners_) {
        std::string path = listener->socket->getsockname().path();
        struct stat file = {};
        if (path.empty() || path.front() == '\0') continue;
        if (::stat(path.c_str(), &file) == 0) {
            listener->path_file.emplace(file.st_dev, file.st_ino);
            listener->path = std::move(path);
        } else if (errno != ENOENT) {
            throw_os_error(errno, {}, path);
        }
    }
}

namespace {

void warn_of_left_path(const std::string& path, int error) noexcept {
    try {
        log(LogLevel::error,
            "Unable to clean up listening UNIX socket " + detail::quoted(path) + ": " + str(make_os_error(error)));
    } catch (...) {  // no memory for a warning
    }
}

}  // namespace

// CPython: unix_events.py, _UnixSelectorEventLoop._stop_serving
void ServerState::stop_serving(Listener& listener) noexcept {
    SocketState& socket = *listener.socket;
    listener.accept.stop();
    if (listener.retry.is_scheduled()) unschedule(*loop_, listener.retry);
    listener.retry.unlink();
    loop_->io().closing({socket.fd, socket.serial});
    socket.close();
    if (!listener.path_file) return;
    struct stat file = {};
    int failed = ::stat(listener.path.c_str(), &file);
    if (failed == 0 && listener.path_file != std::pair(file.st_dev, file.st_ino)) return;
    if (failed == 0) failed = ::unlink(listener.path.c_str());
    if (failed != 0 && errno != ENOENT) warn_of_left_path(listener.path, errno);
}

void ServerState::close() noexcept {
    if (closed_) return;
    closed_ = true;
    Ref<ServerState> keep(this);
    for (const auto& listener : listeners_) stop_serving(*listener);
    ListHook<LoopResources>::unlink();
    if (std::exchange(serving_, false)) dec_ref();
    cancel_serving_forever();
    // What they have captured may be what keeps the server.
    Ref<ProtocolMaker> maker = std::move(maker_);
    ContextSlot context = std::move(context_);
    wake_if_over();
}

void ServerState::cancel_serving_forever() noexcept {
    Future<> serving = std::exchange(serving_forever_, {});
    if (!serving || serving.done()) return;
    try {
        serving.cancel();
    } catch (...) {  // no memory for who has asked
        serving.state_or_null()->cancel(nullptr);
    }
}

void ServerState::wake_if_over() noexcept {
    if (!closed_ || !clients_.empty() || over_) return;
    over_ = true;
    while (!waiters_.empty()) waiters_.pop_front().wake();
}

void ServerState::close_clients() noexcept {
    for (SocketTransport& client : clients_) close_in_order(client);
}

void ServerState::abort_clients() noexcept {
    for (SocketTransport& client : clients_) client.abort();
}

void ServerState::detach(SocketTransport& client) noexcept {
    client.ListHook<ServerClients>::unlink();
    wake_if_over();
}

void ServerState::loop_is_closing() noexcept {
    ListHook<LoopResources>::unlink();
    serving_forever_ = {};
    if (path_process_ != ::getpid()) {  // a forked child's, whose parent goes on serving
        for (const auto& listener : listeners_) listener->path_file.reset();
    }
    close();
}

}  // namespace asyncio::detail
