#include <asyncio/net/start_tls.h>

#include "core/meant_future.h"
#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/tls_layer.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/net/stream_writer.h>

#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

/// What a stream has received and nobody has read. Its transport does not receive meanwhile.
std::string take_buffered(BaseProtocol& protocol) {
    auto* stream = dynamic_cast<StreamReaderProtocol*>(&protocol);
    if (stream == nullptr || stream->reader() == nullptr) return {};
    ReaderState& reader = *stream->reader();
    std::string early = reader.take(reader.available().size());
    reader.resume_transport_if_room();  // or it would be thought to have paused what it reads from next
    return early;
}

/// True if the other end has ended its half of it: then it cannot answer any more. TLS tells that by itself.
bool has_ended(TransportState& lower) {
    char byte = 0;
    if (dynamic_cast<TlsLayer*>(&lower) != nullptr) return false;
    return ::recv(lower.fileno(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/// The two steps of a later pass by which the transport below goes on with TLS.
class TlsBeginning {
public:
    TlsBeginning(TransportState& lower, Ref<BaseProtocol> protocol)
        : made_(task_loop(lower.loop())
                    .facade()
                    .call_soon([keep = Ref<TransportState>(&lower), protocol = std::move(protocol)] {
                        if (keep->protocol() != protocol.get()) return;
                        call_connection_made(*protocol, *keep);
                    })),
          resumed_(task_loop(lower.loop()).facade().call_soon([keep = Ref<TransportState>(&lower)] {
              keep->resume_reading();
          })) {}
    TlsBeginning(const TlsBeginning&) = delete;
    TlsBeginning& operator=(const TlsBeginning&) = delete;
    ~TlsBeginning() {
        made_.cancel();
        resumed_.cancel();
    }

private:
    Handle made_;
    Handle resumed_;
};

/// As long as it lives nobody but TLS writes to the transport, and for ever if TLS has begun. There is one at a time.
class WritersAreRefused {
public:
    explicit WritersAreRefused(TransportState& lower) : lower_(&lower) {
        bool is_below_tls = dynamic_cast<ProtocolBelowTls*>(lower.protocol()) != nullptr;
        if (is_below_tls || lower.tls() != TransportState::Tls::none) {
            throw RuntimeError("start_tls() was called before for transport " + lower.repr());
        }
        lower.set_tls(TransportState::Tls::begins);
    }
    WritersAreRefused(const WritersAreRefused&) = delete;
    WritersAreRefused& operator=(const WritersAreRefused&) = delete;
    ~WritersAreRefused() {
        if (lower_->tls() == TransportState::Tls::begins) lower_->set_tls(TransportState::Tls::none);
    }

private:
    Ref<TransportState> lower_;
};

// CPython: base_events.py, BaseEventLoop.start_tls
Coro<Transport> upgrade(Ref<TransportState> lower, Ref<BaseProtocol> protocol, TlsRequest request,
                        BufferedBytes buffered, bool are_writers_refused) {
    if (!request) throw TypeError("start_tls() was given no SSLContext");
    if (!protocol) throw TypeError("start_tls() was given no protocol");
    if (!lower->can_start_tls()) {
        throw TypeError("transport " + lower->repr() + " is not supported by start_tls()");
    }
    request.check();
    if (lower->protocol() == nullptr)
        throw ConnectionAbortedError("the connection was closed before the SSL handshake");
    std::optional<WritersAreRefused> refused;
    if (!are_writers_refused) refused.emplace(*lower);
    LoopCore& loop = running_core();
    Future<> handshake(Ref<FutureBase>(new FutureState<void>(loop)));
    std::string early = take_buffered(*protocol);
    Ref<TlsLayer> layer;
    try {
        if (!early.empty() && buffered == BufferedBytes::refuse) request.context->refuse_early_bytes(early.size());
        if (has_ended(*lower)) {
            throw ConnectionResetError("the connection was closed by the other end before the SSL handshake");
        }
        layer = request.make_layer(loop, protocol, true);
        layer->set_waiter(handshake);
        layer->feed(early);
        lower->pause_reading();
        Ref<BaseProtocol> below = layer->lower_protocol();
        lower->set_protocol(below);
        TlsBeginning beginning(*lower, std::move(below));
        co_await MeantFuture(handshake, WaitKind::file_descriptor, text_of_handshake, nullptr, lower->fileno());
        lower->set_tls(TransportState::Tls::carries);
    } catch (...) {
        lower->set_tls(TransportState::Tls::carries);  // nothing goes out in the clear behind what is still to be sent
        lower->close();
        throw;
    }
    co_return Transport(layer.get());
}

Coro<> upgrade_stream(StreamWriter writer, TlsRequest request, BufferedBytes buffered) {
    Ref<StreamReaderProtocol> stream(writer.handle().get());
    WritersAreRefused refused(stream->transport());
    co_await writer.drain();
    Ref<TransportState> lower(&stream->transport());
    Transport transport = co_await upgrade(std::move(lower), stream, std::move(request), buffered, true);
    if (stream->replace_transport(transport)) static_cast<TlsLayer&>(*transport.handle().get()).take_over_pause();
}

}  // namespace

Coro<Transport> upgrade_to_tls(const Transport& transport, Ref<BaseProtocol> protocol, TlsOption ssl,
                               const StartTlsOptions& options) {
    return upgrade(Ref<TransportState>(transport.handle().get()), std::move(protocol),
                   TlsRequest::from(ssl, options, options.server_side.value_or(false)), options.buffered, false);
}

}  // namespace detail

Coro<> StreamWriter::start_tls(TlsOption sslcontext, StartTlsOptions options) const {
    bool server_side = options.server_side.value_or(handle().get()->is_servers());
    return detail::upgrade_stream(*this, detail::TlsRequest::from(sslcontext, options, server_side), options.buffered);
}

}  // namespace asyncio
