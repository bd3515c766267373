#include "net/tls_layer.h"

#include "core/meant_future.h"
#include "core/task_loop.h"
#include "detail/fork_aware.h"
#include "net/descriptor_story.h"
#include "net/new_connection.h"
#include "net/protocol_calls.h"
#include "net/server_state.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <sys/resource.h>

#include <cstdint>
#include <utility>

namespace asyncio::detail {

TlsLayer::TlsLayer() noexcept : generation_(fork_generation()) {}
bool TlsLayer::is_of_another_process() const noexcept { return generation_ != fork_generation(); }

TlsContext::~TlsContext() = default;

std::size_t descriptor_limit() noexcept {
    rlimit limit = {};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : SIZE_MAX;
}

void close_in_order(TransportState& transport) noexcept {
    if (auto* below = dynamic_cast<ProtocolBelowTls*>(transport.protocol())) {
        below->close_above();
    } else {
        transport.close();
    }
}

void add_handle(TlsContext& context) noexcept { context.inc_ref(); }
void drop_handle(TlsContext& context) noexcept { context.dec_ref(); }

namespace {

// CPython: sslproto.py, SSLProtocol.__init__
void check_timeout(const char* name, const std::optional<Seconds>& timeout, bool has_tls) {
    if (!timeout) return;
    if (!has_tls) throw ValueError(std::string(name) + " is only meaningful with ssl");
    if (timeout->count() > 0) return;
    throw ValueError(std::string(name) + " should be a positive number, got " + repr_of_double(timeout->count()));
}

class TlsMaker final : public ProtocolMaker {
public:
    TlsMaker(Ref<ProtocolMaker> maker, TlsRequest request) noexcept
        : maker_(std::move(maker)), request_(std::move(request)) {}
    Ref<BaseProtocol> make() override {
        return request_.make_layer(running_core(), made_protocol(*maker_))->lower_protocol();
    }

private:
    Ref<ProtocolMaker> maker_;
    TlsRequest request_;
};

}  // namespace

void TlsRequest::check() const {
    if (server_hostname && !context) throw ValueError("server_hostname is only meaningful with ssl");
    check_timeout("ssl_handshake_timeout", handshake_timeout, static_cast<bool>(context));
    check_timeout("ssl_shutdown_timeout", shutdown_timeout, static_cast<bool>(context));
    if (context && !server_hostname && without_name != nullptr) throw ValueError(without_name);
    if (has_session && !context) throw ValueError("session is only meaningful with ssl");
    if (context) context->check(*this);
}

Ref<ProtocolMaker> over_tls(Ref<ProtocolMaker> maker, TlsRequest request) {
    if (!request) return maker;
    return Ref<ProtocolMaker>(new TlsMaker(std::move(maker), std::move(request)));
}

std::string text_of_handshake(const void*, int fd) { return descriptor_story(fd, "in a TLS handshake"); }

// CPython: base_events.py, BaseEventLoop._create_connection_transport
Coro<> begin_tls(Socket socket, Ref<TlsLayer> layer) {
    LoopCore& loop = running_core();
    Future<> handshake(Ref<FutureBase>(new FutureState<void>(loop)));
    layer->set_waiter(handshake);
    NewTransport transport(new SocketTransport(loop, std::move(socket), layer->lower_protocol(), {}, nullptr));
    transport->begin(nullptr);
    try {
        co_await MeantFuture(handshake, WaitKind::file_descriptor, text_of_handshake, nullptr, transport->fileno());
    } catch (...) {
        layer->close();
        throw;
    }
    transport.has_begun();
}

}  // namespace asyncio::detail
