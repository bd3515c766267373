#include "net/protocol_calls.h"
#include "net/water_marks.h"
#include "net/write_buffer.h"
#include "tls/clear_text.h"
#include "tls/tls_transport.h"

#include <asyncio/errors/log.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr int writes_before_warning = 5;            // CPython: LOG_THRESHOLD_FOR_CONNLOST_WRITES
constexpr std::size_t record_size = 16 * 1024;      // the most that TLS has in one
constexpr std::size_t part_size = 4 * record_size;  // of much, while it is in the cache

}  // namespace

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
    rest += unsaid_;  // of a log handler that was told meanwhile, and wrote
    unsaid_ = std::move(rest);
}

/// What is left is what TLS cannot say in the middle of a message of the other end: a ticket, perhaps.
std::string_view TlsTransport::encipher_what_goes(std::string_view data) {
    TlsBytes& outgoing = engine_->outgoing();
    while (!data.empty()) {
        if (state_ == State::unwrapped) return {};
        std::string_view part = data.substr(0, part_size);
        bool is_first = outgoing.pending() == 0;
        // What waits holds its room for long: not for little.
        if (!lower_is_full_ || (is_first && part.size() > part_size / 2)) outgoing.borrow_room();
        if (is_first && part.size() > record_size / 4) outgoing.make_room(part.size() + record_size / 8);
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

}  // namespace asyncio::detail
