#include "tls/tls_transport.h"

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "tls/context_state.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/errors/repr.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <new>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr Seconds default_handshake_timeout{60};  // CPython: SSL_HANDSHAKE_TIMEOUT
constexpr Seconds default_shutdown_timeout{30};   // CPython: SSL_SHUTDOWN_TIMEOUT

Ref<TlsEngine> make_engine(SSLContextState& context, const TlsRequest& request) {
    std::optional<std::string_view> name;
    if (!request.server_side && request.server_hostname && !request.server_hostname->empty()) {
        name = *request.server_hostname;
    }
    WrapBioOptions options = {
        .server_side = request.server_side, .server_hostname = name, .session = request.session.get()};
    return Ref<TlsEngine>(new TlsEngine(context, Ref<TlsBytes>(new TlsBytes), Ref<TlsBytes>(new TlsBytes), options));
}

}  // namespace

Ref<TlsLayer> SSLContextState::make_layer(LoopCore& loop, Ref<BaseProtocol> stands_on_it, const TlsRequest& request,
                                          bool is_connected) {
    Ref<TlsTransport> made(new TlsTransport(loop, *this, std::move(stands_on_it), request, is_connected));
    return made;
}

void SSLContextState::refuse_early_bytes(std::size_t count) const {
    throw SSLError(std::to_string(count) + " bytes came before TLS, and were not asked for");
}

TlsTransport::TlsTransport(LoopCore& loop, SSLContextState& context, Ref<BaseProtocol> protocol,
                           const TlsRequest& request, bool is_connected)
    : loop_(&loop),
      protocol_(std::move(protocol)),
      engine_(make_engine(context, request)),
      handshake_timeout_(request.handshake_timeout.value_or(default_handshake_timeout)),
      shutdown_timeout_(request.shutdown_timeout.value_or(default_shutdown_timeout)),
      timer_(*this),
      reads_on_(*this, &TlsTransport::reads_on),
      closes_lower_(*this, &TlsTransport::closes_lower),
      tells_loss_(*this, &TlsTransport::tells_loss),
      told_(is_connected ? Told::made : Told::nothing) {
    engine_->set_carried();
    loop.inc_ref();
    loop.resources.push_back(*this);
}

TlsTransport::~TlsTransport() { loop_->dec_ref(); }

Ref<BaseProtocol> TlsTransport::lower_protocol() {
    if (its_protocol_ == nullptr) its_protocol_ = new TlsProtocol(*this);
    return Ref<BaseProtocol>(its_protocol_);
}

void TlsTransport::wake_waiter(std::exception_ptr error) noexcept {
    Future<> waiter = std::exchange(waiter_, {});
    if (!waiter || waiter.done()) return;
    if (error) {
        waiter.set_exception(std::move(error));
    } else {
        waiter.set_result();
    }
}

void TlsTransport::wake_waiter_of_lost(std::exception_ptr error) noexcept {
    if (!waiter_) return;
    try {
        if (!error) throw ConnectionAbortedError(with_peer("the connection was closed in the SSL handshake"));
        wake_waiter(std::move(error));
    } catch (...) {
        wake_waiter(std::current_exception());
    }
}

void TlsTransport::start_timer(Seconds timeout, ReadyNode::Run run) {
    timer_.set_run(run);
    schedule_at(*loop_, loop_->time() + timeout, timer_);
}

void TlsTransport::stop_timer() noexcept {
    if (timer_.is_scheduled()) unschedule(*loop_, timer_);
    timer_.unlink();
}

void TlsTransport::take_turn(Turn& turn) noexcept {
    if (turn.is_linked()) return;
    turn.context = ContextSlot::copy_current();
    schedule(*loop_, turn);
}

// The handshake.

void TlsTransport::connection_made(TransportState& lower) {
    lower_ = Ref<TransportState>(&lower);
    state_ = State::handshake;
    if (closing_) return abort_lower(nullptr);  // since it was made: by close_clients()
    try {
        start_timer(handshake_timeout_, &TlsTransport::handshake_takes_too_long);
        if (engine_->is_server()) {
            loop_->service<HandshakeTurns>();
            handshake_ = std::make_unique<Handshake>(*this);
        }
        do_handshake();
    } catch (...) {  // no memory for it
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        handshake_failed(std::current_exception());
    }
}

void TlsTransport::handshake_takes_too_long(ReadyNode& node) {
    Ref<TlsTransport> self(&static_cast<Timer&>(static_cast<TimerNode&>(node)).transport);
    if (self->state_ != State::handshake) return;
    std::string text = "SSL handshake is taking longer than " + repr_of_double(self->handshake_timeout_.count()) +
                       " seconds: aborting the connection";
    self->abort_lower(std::make_exception_ptr(ConnectionAbortedError(self->with_peer(std::move(text)))));
}

void TlsTransport::do_handshake() {
    Ref<TlsTransport> keep(this);
    Outcome outcome = Outcome::closed;
    try {
        outcome = engine_->do_handshake();
        if (outcome == Outcome::closed) throw SSLZeroReturnError("TLS/SSL connection has been closed (EOF)");
        if (outcome != Outcome::done && state_ == State::handshake) send_outgoing();
    } catch (...) {
        if (state_ != State::handshake) return;  // the SNI callback has ended it
        return handshake_failed(std::current_exception());
    }
    if (state_ != State::handshake) return;
    if (outcome == Outcome::done) return handshake_is_over();
    if (engine_->is_server() && state_ == State::handshake) loop_->service<HandshakeTurns>().is_quiet(*handshake_);
}

void TlsTransport::handshake_goes_on(HandshakeTurn& turn) {
    Ref<TlsTransport> self(&static_cast<Handshake&>(turn).transport);
    if (self->state_ != State::handshake || self->engine_->is_busy()) return;
    try {
        self->do_handshake();
        self->control_lower_reading();
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        self->fail(std::current_exception(), "Fatal error on SSL protocol");
    }
}

void TlsTransport::handshake_is_given_up(HandshakeTurn& turn) {
    TlsTransport& self = static_cast<Handshake&>(turn).transport;
    try {
        throw ConnectionAbortedError(self.with_peer(
            "the SSL handshake was given up: too many wait for their clients, or no descriptor is left"));
    } catch (...) {
        self.abort_lower(std::current_exception());
    }
}

void TlsTransport::handshake_failed(std::exception_ptr error) {
    stop_timer();
    handshake_.reset();
    state_ = State::unwrapped;
    error = with_peer(std::move(error), "handshake with");
    try {
        send_outgoing();  // that it failed
    } catch (...) {       // which is of no use to this end
    }
    bool is_name = exception_cast<SSLCertVerificationError>(error) != nullptr;
    wake_waiter(error);
    fail(std::move(error), is_name ? "SSL handshake failed on verifying the certificate" : "SSL handshake failed");
}

void TlsTransport::handshake_is_over() {
    stop_timer();
    handshake_.reset();
    state_ = State::wrapped;
    if (told_ == Told::nothing) {
        told_ = Told::made;
        Ref<BaseProtocol> protocol = protocol_;
        call_connection_made(*protocol, *this);
    }
    wake_waiter(nullptr);
    do_read();
}

// The end.

void TlsTransport::close() noexcept {
    if (closing_ && !is_unread()) return;
    closing_ = true;
    start_shutdown();
}

void TlsTransport::force_close(std::exception_ptr error) noexcept {
    closing_ = true;
    abort_lower(std::move(error));
}

void TlsTransport::start_shutdown() noexcept {
    bool was_unread = is_unread();
    if (state_ != State::handshake && state_ != State::wrapped && !was_unread) return;
    closing_ = true;
    if (state_ == State::handshake || is_of_another_process()) return abort_lower(nullptr);
    Ref<TlsTransport> keep(this);
    state_ = State::flushing;
    try {
        start_timer(shutdown_timeout_, &TlsTransport::shutdown_takes_too_long);
        if (!was_unread) return do_flush();
        state_ = State::shutdown;  // what has come will not be read
        do_shutdown();
    } catch (...) {
        abort_lower(std::current_exception());
    }
}

void TlsTransport::shutdown_takes_too_long(ReadyNode& node) {
    Ref<TlsTransport> self(&static_cast<Timer&>(static_cast<TimerNode&>(node)).transport);
    if (self->state_ != State::flushing && self->state_ != State::shutdown) return;
    self->lower_->force_close(std::make_exception_ptr(TimeoutError("SSL shutdown timed out")));
}

/// What has come is told first.
void TlsTransport::do_flush() {
    do_read();
    if (state_ != State::flushing) return;
    if (reading_paused_ && lower_has_ended_) return send_last_outgoing();  // the rest waits until it is read
    state_ = State::shutdown;
    do_shutdown();
}

void TlsTransport::do_shutdown() {
    try {
        Outcome outcome = lower_has_ended_ ? Outcome::done : say_goodbye();
        if (outcome == Outcome::wants_read) {
            send_outgoing();
            return control_lower_reading();
        }
        send_last_outgoing();
        call_eof_received();
        shutdown_is_over();
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        stop_timer();
        fail(with_peer(std::current_exception(), "connection with"), "Fatal error on transport");
    }
}

/// Even if it is too much at once: the transport below is about to close itself, or to be closed, and is TLS perhaps,
/// which takes nothing more then.
void TlsTransport::send_last_outgoing() {
    pass_on(true);
    control_writing();
}

/// The transport below sends what it has, which a peer that does not read could delay for ever.
void TlsTransport::shutdown_is_over() {
    if (is_over_ || state_ == State::unwrapped) return;
    closing_ = true;
    if (!timer_.is_scheduled()) start_timer(shutdown_timeout_, &TlsTransport::shutdown_takes_too_long);
    take_turn(closes_lower_);
}

void TlsTransport::closes_lower(ReadyNode& node) {
    Ref<TlsTransport> self(&static_cast<Turn&>(node).transport);
    self->lower_->close();
}

void TlsTransport::abort_lower(std::exception_ptr error) noexcept {
    if (state_ != State::handshake) state_ = State::unwrapped;
    closing_ = true;
    if (lower_ && !lower_is_over_) lower_->force_close(std::move(error));  // else it may be another's by now
}

/// CPython: sslproto.py, SSLProtocol._fatal_error
void TlsTransport::fail(std::exception_ptr error, const char* message) {
    Ref<TlsTransport> keep(this);
    state_ = State::unwrapped;
    abort_lower(error);
    if (exception_cast<OSError>(error) != nullptr || is_cancelled_error(error)) return;
    exception_handler_of(*loop_).tell({.exception = std::move(error)}, [&](ExceptionContext& context) {
        context.message = message;
        context.transport = repr_or_nothing(*this);
        if (protocol_) context.protocol = repr_or_nothing(*protocol_);
    });
}

void TlsTransport::connection_lost(std::exception_ptr error) {
    drop_outgoing();
    closing_ = lower_is_over_ = true;
    wake_who_waits_for_room();
    stop_timer();
    handshake_.reset();
    state_ = State::unwrapped;
    if (told_ == Told::made || told_ == Told::eof) {
        told_ = Told::lost;
        lost_by_ = error;
        take_turn(tells_loss_);
    }
    wake_waiter_of_lost(std::move(error));
}

void TlsTransport::tells_loss(ReadyNode& node) {
    auto& turn = static_cast<Turn&>(node);
    Ref<TlsTransport> self(&turn.transport);
    Ref<BaseProtocol> protocol = self->protocol_;
    try {
        ContextSlot context = std::move(turn.context);
        ContextScope scope(self->loop_->current_context(), context);
        protocol->connection_lost(std::exchange(self->lost_by_, nullptr));
    } catch (...) {
        self->finish();
        return tell_failed_callback("connection_lost", *protocol, *self);
    }
    self->finish();
}

void TlsTransport::detached() noexcept {
    lower_is_over_ = true;
    wake_waiter_of_lost(nullptr);
    if (!tells_loss_.is_linked()) finish();
}

void TlsTransport::replaced() noexcept {
    Ref<TlsTransport> keep(this);
    wake_waiter_of_lost(nullptr);
    if (lower_ && !lower_is_over_ && !is_over_) {  // who reads, or waits for room, would wait for ever
        try {
            throw ConnectionAbortedError("another protocol has taken the place of TLS");
        } catch (...) {
            connection_lost(std::current_exception());
        }
    }
    detached();
}

void TlsTransport::finish() noexcept {
    if (std::exchange(is_over_, true)) return;
    Ref<TlsTransport> keep(this);
    drop_outgoing();
    closing_ = true;
    state_ = State::unwrapped;
    ListHook<LoopResources>::unlink();
    stop_timer();
    handshake_.reset();
    reads_on_.unlink();
    closes_lower_.unlink();
    tells_loss_.unlink();
    waiter_ = {};
    room_ = {};
    if (Ref<BaseProtocol> protocol = std::exchange(protocol_, nullptr)) protocol->detached();
    dec_ref();  // its own
}

// To be looked at.

void TlsTransport::set_protocol(Ref<BaseProtocol> protocol) {
    if (protocol->kind() == BaseProtocol::Kind::datagram) {
        throw TypeError("a Protocol or a BufferedProtocol was expected, got a DatagramProtocol");
    }
    if (protocol_) protocol_ = std::move(protocol);
}

ExtraInfo TlsTransport::get_extra_info(std::string_view name) const {
    bool is_begun = state_ != State::handshake && lower_;
    if (name == "sslcontext" || (is_begun && (name == "ssl_object" || name == "cipher" || name == "peercert"))) {
        return ExtraInfo(Ref<Counted>(engine_.get()));
    }
    return lower_ ? lower_->get_extra_info(name) : ExtraInfo();
}

std::string TlsTransport::repr() const {
    std::string text = repr_of_object(typeid(*this), this);
    return "<asyncio.sslproto._SSLProtocolTransport" + text.substr(std::min(text.find(" object"), text.size()));
}

}  // namespace asyncio::detail
