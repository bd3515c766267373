#include "net/server_state.h"

#include "core/task_loop.h"

#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr double accept_retry_delay = 1;  // CPython: ACCEPT_RETRY_DELAY

/// Keeps a transport, but not its connection.
class TransportPin {
public:
    explicit TransportPin(Transport& transport) noexcept : transport_(&transport) { transport.pin(); }
    TransportPin(TransportPin&& other) noexcept : transport_(std::exchange(other.transport_, nullptr)) {}
    ~TransportPin() {
        if (transport_ != nullptr) transport_->unpin();
    }
    Transport& operator*() const noexcept { return *transport_; }

private:
    Transport* transport_;
};

void client_task_is_done(const AnyTask& task, Transport& transport) {
    if (task.cancelled()) return transport.close();
    std::exception_ptr error = task.exception();
    if (!error) return;
    std::string text = transport.repr();
    transport.close();
    task_loop(transport.loop()).call_exception_handler({.message = "Unhandled exception in client_connected_cb",
                                             .exception = error,
                                             .task = task,
                                             .stack = task.get_stack(),
                                             .transport = text});
}

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
    void wait_for_connections(bool at_once);

    ServerState& server;
    Ref<SocketState> socket;
    Accept accept;
    Retry retry;
    SocketAddress peer;
    std::optional<std::pair<dev_t, ino_t>> path_file;  // the path to be removed is still ours if it names this file
};

ServerState::ServerState(LoopCore& loop, std::vector<Socket> sockets, Ref<ClientCallback> callback, ServerConfig config)
    : loop_(&loop), callback_(std::move(callback)), config_(config) {
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
    serving_ = true;
    inc_ref();  // the loop's
    context_ = ContextSlot::copy_current();
    for (const auto& listener : listeners_) {
        listener->socket->listen(config_.backlog);
        listener->wait_for_connections(false);
    }
}

void ServerState::Listener::wait_for_connections(bool at_once) {
    accept.at_once = at_once;
    accept.address = peer.native_room();
    accept.address_size = SocketAddress::capacity;
    if (accept.start(server.loop_->io())) server.report_failed_accept(*this, static_cast<int>(-accept.result));
}

void ServerState::is_acceptable(ReadyNode& node) {
    Listener& listener = static_cast<Listener::Accept&>(static_cast<IoOperation&>(node)).listener;
    listener.server.accept_all(listener);
}

void ServerState::try_again(ReadyNode& node) {
    Listener& listener = static_cast<Listener::Retry&>(static_cast<TimerNode&>(node)).listener;
    listener.wait_for_connections(false);
}

/// All that wait, but not more than a backlog of them in one pass.
void ServerState::accept_all(Listener& listener) {
    IoOperation& accept = listener.accept;
    for (int left = config_.backlog; left >= 0; --left) {
        accept.address = listener.peer.native_room();
        accept.address_size = SocketAddress::capacity;
        accept.at_once = true;
        bool over = accept.is_waiting() ? accept.finish() : accept.start(loop_->io());
        if (!over) return;
        if (accept.result >= 0) {
            listener.peer.set_native_size(accept.address_size);
            accepted(listener, static_cast<int>(accept.result), listener.peer);
        } else if (accept.result != -ECONNABORTED) {
            return report_failed_accept(listener, static_cast<int>(-accept.result));
        }
    }
    listener.wait_for_connections(false);
}

void ServerState::accepted(Listener& listener, int fd, const SocketAddress& peer) {
    const SocketState& socket = *listener.socket;
    try {
        TaskName number;  // in CPython a task makes the transport, and takes a number
        number.assign_number();
        Socket connection = socket_of(fd, socket.family, socket.kind, socket.proto);
        Ref<ReaderState> reader(new ReaderState(*loop_, config_.limit));
        auto* transport = new Transport(*loop_, std::move(connection), std::move(reader), peer, Ref<ServerState>(this));
        transport->begin(2, nullptr);
    } catch (...) {
        task_loop(*loop_).report(
            {.message = "Error on transport creation for incoming connection", .exception = std::current_exception()});
    }
}

/// Nobody is there to be told but the exception handler. Whatever it is, it may pass.
void ServerState::report_failed_accept(Listener& listener, int error) {
    bool out_of_resources = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    schedule_at(*loop_, loop_->time() + accept_retry_delay, listener.retry);
    task_loop(*loop_).call_exception_handler(
        {.message = out_of_resources ? "socket.accept() out of system resource" : "socket.accept() failed",
         .exception = make_os_error(error),
         .socket = asyncio::repr(TransportSocket(listener.socket))});
}

// CPython: streams.py, StreamReaderProtocol.connection_made
void ServerState::connection_made(Transport& client) {
    StreamReader reader(client.reader_ref());
    StreamWriter writer(&client);
    Ref<ClientCallback> callback = callback_;
    ContextSlot context = ContextSlot::copy(context_);
    std::exception_ptr error;
    try {
        ContextScope scope(loop_->current_context(), context);
        AnyTask task = callback->call(*loop_, reader, writer);
        if (task) {
            task.add_done_callback(
                [pin = TransportPin(client)](const AnyTask& done) { client_task_is_done(done, *pin); });
        }
        return;
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        error = std::current_exception();
    }
    std::string text = client.repr();
    client.close();
    task_loop(*loop_).call_exception_handler(
        {.message = "Unhandled exception in client_connected_cb", .exception = error, .transport = text});
}

// The end.

void ServerState::remove_path_at_close() {
    for (const auto& listener : listeners_) {
        std::string path = listener->socket->getsockname().path();
        struct stat file = {};
        if (path.empty() || path.front() == '\0' || ::stat(path.c_str(), &file) != 0) continue;
        listener->path_file.emplace(file.st_dev, file.st_ino);
    }
}

// CPython: unix_events.py, _UnixSelectorEventLoop._stop_serving
void ServerState::stop_serving(Listener& listener) noexcept {
    SocketState& socket = *listener.socket;
    std::string path;
    try {
        if (listener.path_file) path = socket.getsockname().path();
    } catch (const OSError&) {
    }
    listener.accept.stop();
    if (listener.retry.is_scheduled()) unschedule(*loop_, listener.retry);
    listener.retry.unlink();
    loop_->io().closing({socket.fd, socket.serial});
    socket.close();
    struct stat file = {};
    if (path.empty() || ::stat(path.c_str(), &file) != 0) return;
    bool is_ours = listener.path_file == std::pair(file.st_dev, file.st_ino);
    if (is_ours && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
        log(LogLevel::error,
            "Unable to clean up listening UNIX socket " + quoted(path) + ": " + str(make_os_error(errno)));
    }
}

void ServerState::close() noexcept {
    if (closed_) return;
    closed_ = true;
    Ref<ServerState> keep(this);
    for (const auto& listener : listeners_) stop_serving(*listener);
    ListHook<LoopResources>::unlink();
    if (std::exchange(serving_, false)) dec_ref();
    if (serving_forever_ && !serving_forever_.done()) std::exchange(serving_forever_, {}).cancel();
    wake_if_over();
}

void ServerState::wake_if_over() noexcept {
    if (!closed_ || !clients_.empty() || over_) return;
    over_ = true;
    while (!waiters_.empty()) waiters_.pop_front().wake();
}

void ServerState::close_clients() noexcept {
    for (Transport& client : clients_) client.close();
}

void ServerState::abort_clients() noexcept {
    for (Transport& client : clients_) client.abort();
}

void ServerState::detach(Transport& client) noexcept {
    client.ListHook<ServerClients>::unlink();
    wake_if_over();
}

void ServerState::loop_is_closing() noexcept {
    ListHook<LoopResources>::unlink();
    serving_forever_ = {};
    close();
}

}  // namespace asyncio::detail
