#include <asyncio/net/transports.h>

#include "loop/loop_core.h"
#include "net/transport_state.h"
#include "net/write_buffer.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>

#include <utility>

namespace asyncio {

std::string repr(const ExtraInfo& info) {
    if (info.pipe() >= 0) return std::to_string(info.pipe());
    if (info.tls()) return "<asyncio.SSLObject>";
    return info.socket() ? repr(info.socket()) : repr(info.address());
}

namespace detail {

void add_handle(TransportState& transport) noexcept { transport.inc_ref(); }
void drop_handle(TransportState& transport) noexcept {
    transport.loop().note_thread("a handle of a transport went in a thread that is not its loop's");
    transport.dec_ref();
}

// What not every transport can do.

void TransportState::write(std::string_view) { throw NotImplementedError("this transport does not send"); }
void TransportState::write_given(const GivenBytes& data) { write(data.view()); }
void TransportState::writelines(std::span<const BytesLike> lines) {
    for (const BytesLike& line : lines) write(line.view());
}
void TransportState::write_eof() { throw NotImplementedError("this transport has no end of writing"); }
bool TransportState::can_write_eof() const { return false; }
void TransportState::sendto(std::string_view, const SocketAddress*) {
    throw NotImplementedError("this transport sends no datagrams");
}
void TransportState::send_batch(std::span<const Datagram>) {
    throw NotImplementedError("this transport sends no datagrams");
}
void TransportState::send_segments(std::string_view, std::size_t, const SocketAddress*) {
    throw NotImplementedError("this transport sends no datagrams");
}
bool TransportState::is_reading() const { throw NotImplementedError("this transport does not receive"); }
void TransportState::pause_reading() { throw NotImplementedError("this transport does not receive"); }
void TransportState::resume_reading() { throw NotImplementedError("this transport does not receive"); }
std::size_t TransportState::write_buffer_size() const { throw NotImplementedError("this transport does not send"); }
WriteBufferLimits TransportState::write_buffer_limits() const {
    throw NotImplementedError("this transport does not send");
}
void TransportState::set_write_buffer_limits(std::optional<Count>, std::optional<Count>) {
    throw NotImplementedError("this transport does not send");
}

std::exception_ptr os_error_or_lack_of_memory(int error) noexcept {
    try {
        return make_os_error(error);
    } catch (...) {
        return std::current_exception();
    }
}

std::string repr_or_nothing(const TransportState& transport) noexcept {
    try {
        return transport.repr();
    } catch (...) {
        return {};
    }
}

void TransportState::refuse_clear_text() const {
    if (tls_ == Tls::begins) {
        throw RuntimeError("start_tls() is under way: what is written before it is over would go out in the clear");
    }
    throw RuntimeError(
        "TLS has begun on this transport: what is written to it would go out in the clear; write to the one that "
        "start_tls() gives");
}

}  // namespace detail

const detail::TransportHandle& BaseTransport::handle() const {
    if (transport_.get() == nullptr) {
        throw RuntimeError("this handle is empty: it was default-constructed or moved from, and names no transport");
    }
    return transport_;
}

/// In debug mode throws RuntimeError in another thread.
detail::TransportState& BaseTransport::in_its_thread() const {
    detail::TransportState& transport = *handle().get();
    transport.loop().check_thread();
    return transport;
}

void BaseTransport::close() const { in_its_thread().close(); }
bool BaseTransport::is_closing() const { return handle().get()->is_closing() || handle().get()->is_closing_below(); }
ExtraInfo BaseTransport::get_extra_info(std::string_view name) const { return handle().get()->get_extra_info(name); }
void BaseTransport::set_protocol(ProtocolRef<> protocol) const {
    if (!protocol) throw TypeError("set_protocol() was given no protocol");
    in_its_thread().set_protocol(std::move(protocol));
}
ProtocolRef<> BaseTransport::get_protocol() const { return detail::Ref<BaseProtocol>(handle().get()->protocol()); }
std::string repr(const BaseTransport& transport) { return transport ? transport.handle().get()->repr() : "None"; }

bool ReadTransport::is_reading() const { return handle().get()->is_reading(); }
void ReadTransport::pause_reading() const { in_its_thread().pause_reading(); }
void ReadTransport::resume_reading() const { in_its_thread().resume_reading(); }

namespace {

detail::TransportState& for_bytes(detail::TransportState& transport) {
    transport.check_is_not_under_tls();
    return transport;
}

}  // namespace

void WriteTransport::write(BytesLike data) const { for_bytes(in_its_thread()).write(data.view()); }
void WriteTransport::write_given(const SharedBytes& data) const {
    for_bytes(in_its_thread()).write_given(detail::GivenBytes(data));
}
void WriteTransport::write_given(std::string& data) const {
    for_bytes(in_its_thread()).write_given(detail::GivenBytes(data));
}
void WriteTransport::write_all(const BytesLike* lines, std::size_t count) const {
    for_bytes(in_its_thread()).writelines({lines, count});
}
void WriteTransport::write_eof() const { for_bytes(in_its_thread()).write_eof(); }
bool WriteTransport::can_write_eof() const { return handle().get()->can_write_eof(); }
void WriteTransport::abort() const { in_its_thread().abort(); }
void WriteTransport::set_write_buffer_limits(WriteBufferOptions options) const {
    in_its_thread().set_write_buffer_limits(options.high, options.low);
}
WriteBufferLimits WriteTransport::get_write_buffer_limits() const { return handle().get()->write_buffer_limits(); }
std::size_t WriteTransport::get_write_buffer_size() const { return handle().get()->write_buffer_size(); }

ReadTransport Transport::reading() const { return ReadTransport(handle().get()); }

void DatagramTransport::sendto(BytesLike data) const { in_its_thread().sendto(data.view(), nullptr); }
void DatagramTransport::sendto(BytesLike data, const SocketAddress& address) const {
    in_its_thread().sendto(data.view(), &address);
}
void DatagramTransport::send_batch(std::span<const Datagram> datagrams) const { in_its_thread().send_batch(datagrams); }
void DatagramTransport::send_segments(BytesLike data, std::size_t segment_size) const {
    in_its_thread().send_segments(data.view(), segment_size, nullptr);
}
void DatagramTransport::send_segments(BytesLike data, std::size_t segment_size, const SocketAddress& address) const {
    in_its_thread().send_segments(data.view(), segment_size, &address);
}
void DatagramTransport::abort() const { in_its_thread().abort(); }
void DatagramTransport::set_write_buffer_limits(WriteBufferOptions options) const {
    in_its_thread().set_write_buffer_limits(options.high, options.low);
}
WriteBufferLimits DatagramTransport::get_write_buffer_limits() const { return handle().get()->write_buffer_limits(); }
std::size_t DatagramTransport::get_write_buffer_size() const { return handle().get()->write_buffer_size(); }

}  // namespace asyncio
