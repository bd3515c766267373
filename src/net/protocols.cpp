#include <asyncio/net/protocols.h>

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "net/transport_state.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <typeinfo>

namespace asyncio {

BaseProtocol::~BaseProtocol() = default;
void BaseProtocol::connection_lost(std::exception_ptr) {}
void BaseProtocol::pause_writing() {}
void BaseProtocol::resume_writing() {}

void Protocol::connection_made(Transport) {}
void Protocol::data_received(std::string_view) {}
bool Protocol::eof_received() { return false; }

void BufferedProtocol::connection_made(Transport) {}
bool BufferedProtocol::eof_received() { return false; }

void DatagramProtocol::connection_made(DatagramTransport) {}
void DatagramProtocol::datagram_received(std::string_view, const SocketAddress&) {}
void DatagramProtocol::error_received(std::exception_ptr) {}

namespace detail {

Ref<BaseProtocol> made_protocol(ProtocolMaker& maker) {
    Ref<BaseProtocol> protocol = maker.make();
    if (!protocol) throw TypeError("the protocol's factory returned no protocol");
    return protocol;
}

void call_connection_made(BaseProtocol& protocol, TransportState& transport) {
    switch (protocol.kind()) {
        case BaseProtocol::Kind::buffered:
            return static_cast<BufferedProtocol&>(protocol).connection_made(Transport(&transport));
        case BaseProtocol::Kind::datagram:
            return static_cast<DatagramProtocol&>(protocol).connection_made(DatagramTransport(&transport));
        case BaseProtocol::Kind::protocol:
        case BaseProtocol::Kind::stream:
            return static_cast<Protocol&>(protocol).connection_made(Transport(&transport));
        case BaseProtocol::Kind::subprocess:  // is told by its own kind of transport
            break;
    }
}

bool call_eof_received(BaseProtocol& protocol) {
    if (protocol.kind() == BaseProtocol::Kind::buffered) {
        return static_cast<BufferedProtocol&>(protocol).eof_received();
    }
    return static_cast<Protocol&>(protocol).eof_received();
}

// CPython: transports.py, _FlowControlMixin
void call_pause_writing(BaseProtocol& protocol, TransportState& transport) {
    try {
        protocol.pause_writing();
    } catch (...) {
        tell_failed_call("protocol.pause_writing() failed", protocol, transport);
    }
}

void call_resume_writing(BaseProtocol& protocol, TransportState& transport) {
    try {
        protocol.resume_writing();
    } catch (...) {
        tell_failed_call("protocol.resume_writing() failed", protocol, transport);
    }
}

void tell_failed_call(const char* message, BaseProtocol& protocol, TransportState& transport) {
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    exception_handler_of(transport.loop())
        .tell({.exception = std::current_exception()}, [&](ExceptionContext& context) {
            context.message = message;
            context.transport = repr_or_nothing(transport);
            context.protocol = repr_or_nothing(protocol);
        });
}

void tell_failed_callback(const char* method, BaseProtocol& protocol, TransportState& transport) {
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    exception_handler_of(transport.loop())
        .tell({.exception = std::current_exception()}, [&](ExceptionContext& context) {
            context.message = "Exception in callback " + type_text(typeid(protocol)) + "." + method + "()";
            context.transport = repr_or_nothing(transport);
            context.protocol = repr_or_nothing(protocol);
        });
}

std::string repr_or_nothing(const BaseProtocol& protocol) noexcept {
    try {
        return repr_of_object(typeid(protocol), dynamic_cast<const void*>(&protocol));
    } catch (...) {
        return {};
    }
}

}  // namespace detail
}  // namespace asyncio
