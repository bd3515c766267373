#include "core/task_loop.h"
#include "detail/kept_by_thread.h"
#include "net/protocol_calls.h"
#include "net/water_marks.h"
#include "net/write_buffer.h"
#include "tls/tls_transport.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr int writes_before_warning = 5;                 // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES
constexpr std::size_t incoming_high_water = 256 * 1024;  // CPython: FLOW_CONTROL_HIGH_WATER_SSL_READ
constexpr std::size_t incoming_low_water = 64 * 1024;
constexpr std::size_t record_size = 16 * 1024;      // the most that TLS has in one
constexpr std::size_t part_size = 4 * record_size;  // of much, while it is in the cache
constexpr std::size_t most_answers = 64 * 1024;     // unsent, to who sends and does not read: of a KeyUpdate, such as

/// Memory for what is deciphered and handed on at once. A thread keeps one of them.
class ClearText {
public:
    static constexpr std::size_t size = 64 * 1024;

    ClearText() {
        if (Bytes* kept = KeptByThread<Bytes>::get_or_null()) bytes_ = std::move(*kept);
        if (!bytes_) bytes_.reset(new char[size]);
    }
    ~ClearText() {
        if (Bytes* kept = KeptByThread<Bytes>::get_or_null()) *kept = std::move(bytes_);
    }
    ClearText(const ClearText&) = delete;
    ClearText& operator=(const ClearText&) = delete;
    char* bytes() const noexcept { return bytes_.get(); }

private:
    using Bytes = std::unique_ptr<char[]>;
    Bytes bytes_;
};

}  // namespace

// What goes out.

void TlsTransport::note_vain_write() noexcept {
    // The other end is gone, which is told when all was read: who writes and drains until then lets others run.
    if (is_unread()) closing_ = true;
    if (vain_writes_ < writes_before_warning) {
        ++vain_writes_;
    } else {
        log(LogLevel::warning, "SSL connection is closed");
    }
}

template <class Encipher>
void TlsTransport::send(Encipher encipher_all) {
    Ref<TlsTransport> keep(this);
    try {
        encipher_all();
        send_outgoing();
    } catch (...) {
        fail(with_peer(std::current_exception(), "connection with"), "Fatal error on SSL protocol");
    }
}

void TlsTransport::write(std::string_view data) {
    check_can_write("write");
    if (!data.empty()) write_all(data);
}

void TlsTransport::writelines(std::span<const BytesLike> lines) {
    check_can_write("writelines");
    if (std::all_of(lines.begin(), lines.end(), [](const BytesLike& line) { return line.empty(); })) return;
    if (state_ == State::wrapped && !is_closing_under_tls()) return send([&] { write_lines(lines); });
    std::string all;
    for (const BytesLike& line : lines) all += line.view();
    write_all(all);
}

/// In records that are full, but for the last.
void TlsTransport::write_lines(std::span<const BytesLike> lines) {
    ClearText text;
    std::size_t size = 0;
    for (const BytesLike& line : lines) {
        std::string_view rest = line.view();
        while (!rest.empty()) {
            if (size == 0 && rest.size() >= record_size) {
                std::size_t whole = rest.size() - rest.size() % record_size;
                encipher(rest.substr(0, whole));
                rest.remove_prefix(whole);
                continue;
            }
            std::string_view part = rest.substr(0, record_size - size);
            std::memcpy(text.bytes() + size, part.data(), part.size());
            size += part.size();
            rest.remove_prefix(part.size());
            if (size == record_size) encipher({text.bytes(), std::exchange(size, 0)});
        }
    }
    encipher({text.bytes(), size});
}

void TlsTransport::encipher(std::string_view data) {
    if (unsaid_.empty()) data = encipher_what_goes(data);
    unsaid_ += data;
}

/// Tries again.
void TlsTransport::say_rest() {
    if (unsaid_.empty()) return;
    std::string rest = std::exchange(unsaid_, {});
    rest.erase(0, rest.size() - encipher_what_goes(rest).size());
    unsaid_ = std::move(rest);
}

/// What is left is what TLS cannot say in the middle of a message of the other end: a ticket, perhaps.
std::string_view TlsTransport::encipher_what_goes(std::string_view data) {
    TlsBytes& outgoing = engine_->outgoing();
    while (!data.empty()) {
        if (state_ == State::unwrapped) return {};
        std::string_view part = data.substr(0, part_size);
        bool is_much = part.size() > record_size / 4 && outgoing.pending() == 0;
        bool is_whole_part =
            part.size() > part_size / 2 && outgoing.pending() == 0;  // else it may hold a room for long
        if (is_whole_part || !lower_is_full_) outgoing.borrow_room();
        if (is_much) outgoing.make_room(part.size() + record_size / 8);
        std::size_t size = 0;
        Outcome outcome = engine_->write(part, size);
        if (outcome == Outcome::wants_read) return data;
        if (outcome != Outcome::done) throw SSLError("TLS takes no more");
        data.remove_prefix(size);
        if (outgoing.pending() >= part_size) pass_on();
    }
    return {};
}

void TlsTransport::write_all(std::string_view data) {
    // Nobody has it before the handshake is over.
    if (state_ != State::wrapped || is_closing_under_tls()) return note_vain_write();
    send([&] { encipher(data); });
}

void TlsTransport::send_outgoing() {
    pass_on();
    control_writing();
}

/// What the transport below has to keep it takes, and copies nothing.
void TlsTransport::pass_on(bool even_if_full) {
    TlsBytes& outgoing = engine_->outgoing();
    if (is_of_another_process()) return drop_outgoing();
    auto has_some = [&] { return !waiting_.empty() || outgoing.pending() > 0; };
    while (has_some() && lower_ && !lower_is_over_ && (!lower_is_full_ || even_if_full)) {
        std::string bytes = waiting_.empty() ? outgoing.give_all() : waiting_.take_first();
        answers_ -= std::min(answers_, bytes.size());  // if they are behind it, as many more may come
        try {
            lower_->write_records(GivenBytes(bytes));
        } catch (...) {
            drop_outgoing();  // what is behind a gap is of no use
            throw;
        }
        keep_room(std::move(bytes));
        // It is lost: who writes and drains for ever has to wait until that can be told.
        if (lower_->is_closing()) closing_ = true;
    }
    if (!has_some()) answers_ = 0;
    if (outgoing.pending() >= part_size) waiting_.append(outgoing.give_all());
}

void TlsTransport::drop_outgoing() noexcept {
    waiting_.clear();
    engine_->outgoing().drop_all();
    unsaid_.clear();
}

void TlsTransport::resume_writing() {
    Ref<TlsTransport> keep(this);
    lower_is_full_ = false;
    send([] {});
    control_lower_reading();
}

void TlsTransport::control_writing() {
    if (!protocol_) return;
    std::size_t size = write_buffer_size();
    Ref<BaseProtocol> protocol = protocol_;
    if (size >= write_limits_.high && size > 0 && !writing_paused_) {
        writing_paused_ = true;
        call_pause_writing(*protocol, *this);
    } else if (size <= write_limits_.low && writing_paused_) {
        writing_paused_ = false;
        wake_who_waits_for_room();
        call_resume_writing(*protocol, *this);
    }
}

// CPython: sslproto.py, add_flowcontrol_defaults
void TlsTransport::set_write_buffer_limits(std::optional<Count> high, std::optional<Count> low) {
    write_limits_ = write_buffer_limits_of(high, low, 512 * 1024);
    control_writing();
}

// What comes in.

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
