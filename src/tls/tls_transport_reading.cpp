#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "tls/clear_text.h"
#include "tls/tls_transport.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr std::size_t incoming_high_water = 256 * 1024;  // CPython: FLOW_CONTROL_HIGH_WATER_SSL_READ
constexpr std::size_t incoming_low_water = 64 * 1024;
constexpr std::size_t most_answers = 64 * 1024;  // unsent, to who sends and does not read: of a KeyUpdate, such as

}  // namespace

/// Throws before anything is taken away from the process whose connection it is.
char* TlsTransport::room_to_receive() {
    check_is_ours();
    return loop_->receive_buffer().memory();
}

void TlsTransport::data_received(std::string_view data) {
    Ref<TlsTransport> keep(this);
    ReceiveBuffer::Loan loan(loop_->receive_buffer());  // for who receives while this is looked at
    TlsBytes::Lent lent(engine_->incoming(), data);
    if (engine_->is_busy()) return lent.keep_rest();  // whoever reads goes on with it
    try {
        switch (state_) {
            case State::handshake:
                if (engine_->is_server() && !loop_->service<HandshakeTurns>().take(*handshake_)) {
                    lent.keep_rest();
                    return control_lower_reading();
                }
                do_handshake();
                break;
            case State::wrapped:
                do_read();
                break;
            case State::flushing:
                do_flush();
                break;
            case State::shutdown:
                do_shutdown();
                break;
            case State::unwrapped:
                return;
        }
    } catch (...) {
        lent.keep_rest();
        throw;
    }
    lent.keep_rest();
}

/// True if what has come is still to be read; else the transport below closes itself.
bool TlsTransport::eof_received() {
    Ref<TlsTransport> keep(this);
    lower_has_ended_ = true;
    engine_->incoming().end();
    switch (state_) {
        case State::handshake:
            handshake_failed(std::make_exception_ptr(
                ConnectionResetError(with_peer("the connection was closed by the other end in the SSL handshake"))));
            break;
        case State::wrapped:
            state_ = State::flushing;
            do_flush();
            break;
        case State::flushing:
        case State::shutdown:
            state_ = State::shutdown;
            do_shutdown();
            break;
        case State::unwrapped:
            break;
    }
    return state_ == State::flushing;
}

void TlsTransport::do_read() {
    if (state_ != State::wrapped && state_ != State::flushing) return;
    try {
        if (!reading_paused_) read_and_tell();
        if (state_ == State::wrapped || state_ == State::flushing) say_rest();
        send_outgoing();
        control_lower_reading();
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        std::exception_ptr error = with_peer(std::current_exception(), "connection with");
        try {
            send_outgoing();  // that it failed
        } catch (...) {
        }
        fail(std::move(error), "Fatal error on SSL protocol");
    }
}

void TlsTransport::read_and_tell() {
    while (is_reading_now()) {
        Ref<BaseProtocol> protocol = protocol_;  // another may take its place
        bool is_buffered = protocol->kind() == BaseProtocol::Kind::buffered;
        bool goes_on = is_buffered ? read_for(static_cast<BufferedProtocol&>(*protocol))
                                   : read_for(static_cast<Protocol&>(*protocol));
        if (!goes_on) return;
    }
}

/// As much as there is and goes into it. What fails is told after that: what came before it is good.
TlsTransport::Received TlsTransport::read_clear(WritableBytes room) {
    Received received;
    std::size_t before = engine_->outgoing().pending();
    try {
        while (received.outcome == Outcome::done && received.size < room.size()) {
            std::size_t size = 0;
            received.outcome = engine_->read(room.from(received.size), size);
            received.size += size;
            if (received.outcome == Outcome::done && !engine_->has_more()) received.outcome = Outcome::wants_read;
        }
    } catch (...) {
        received.failure = std::current_exception();
    }
    answers_ += engine_->outgoing().pending() - before;
    return received;
}

/// What the other end still sends is dropped until it has ended, too: to close while something comes would have it told
/// of a reset, and lose what it has not read yet.
TlsTransport::Outcome TlsTransport::say_goodbye() {
    ClearText text;
    Outcome outcome = Outcome::done;
    say_rest();
    if (unsaid_.empty()) engine_->say_goodbye();
    std::size_t before = engine_->outgoing().pending();
    while (outcome == Outcome::done) {
        std::size_t size = 0;
        outcome = engine_->read({text.bytes(), ClearText::size}, size);
    }
    answers_ += engine_->outgoing().pending() - before;
    say_rest();
    if (unsaid_.empty()) engine_->say_goodbye();
    return outcome == Outcome::closed ? Outcome::done : outcome;
}

/// True if there may be more.
bool TlsTransport::read_for(BufferedProtocol& protocol) {
    WritableBytes room = protocol.get_buffer(static_cast<std::ptrdiff_t>(engine_->incoming().pending()));
    if (room.size() == 0) throw RuntimeError("get_buffer() returned an empty buffer");
    if (!is_reading_now()) return false;
    Received received = read_clear(room);
    if (received.size > 0) protocol.buffer_updated(received.size);
    return goes_on_after(received);
}

bool TlsTransport::read_for(Protocol& protocol) {
    ClearText text;
    Received received = read_clear({text.bytes(), ClearText::size});
    if (received.size > 0) protocol.data_received({text.bytes(), received.size});
    return goes_on_after(received);
}

bool TlsTransport::goes_on_after(const Received& received) {
    if (received.failure) std::rethrow_exception(received.failure);
    if (received.outcome == Outcome::closed && (state_ == State::wrapped || state_ == State::flushing)) {
        call_eof_received();
        start_shutdown();
    }
    return received.outcome == Outcome::done;
}

void TlsTransport::call_eof_received() {
    if (told_ != Told::made || !protocol_) return;
    told_ = Told::eof;
    Ref<BaseProtocol> protocol = protocol_;
    try {
        bool stays_open = asyncio::detail::call_eof_received(*protocol);
        if (stays_open && dynamic_cast<StreamReaderProtocol*>(protocol.get()) == nullptr) {
            log(LogLevel::warning, "returning true from eof_received() has no effect when using ssl");
        }
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        fail(std::current_exception(), "Error calling eof_received()");
    }
}

void TlsTransport::resume_reading() {
    if (!reading_paused_) return;
    reading_paused_ = false;
    if (!is_over_ && lower_) take_turn(reads_on_);
}

void TlsTransport::take_over_pause() noexcept {
    reading_paused_ = true;
    if (!lower_ || lower_is_over_ || lower_reading_paused_) return;
    try {
        lower_->resume_reading();
    } catch (...) {
        abort_lower(std::current_exception());
    }
}

void TlsTransport::reads_on(ReadyNode& node) {
    auto& turn = static_cast<Turn&>(node);
    Ref<TlsTransport> self(&turn.transport);
    ContextSlot context = std::move(turn.context);
    ContextScope scope(self->loop_->current_context(), context);
    if (self->state_ == State::wrapped) {
        self->do_read();
    } else if (self->state_ == State::flushing) {
        self->do_flush();
    } else if (self->state_ == State::shutdown) {
        self->do_shutdown();
    }
}

/// No more than the high-water mark lies here unread, and not much unsent that was said because of it.
void TlsTransport::control_lower_reading() {
    if (!lower_ || lower_is_over_) return;
    std::size_t size = engine_->incoming().pending();
    bool is_much = size >= incoming_high_water || answers_ >= most_answers;
    if (is_much && !lower_reading_paused_) {
        lower_reading_paused_ = true;
        lower_->pause_reading();
    } else if (!is_much && size <= incoming_low_water && lower_reading_paused_) {
        lower_reading_paused_ = false;
        lower_->resume_reading();
    }
}

}  // namespace asyncio::detail
