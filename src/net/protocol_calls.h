#pragma once

#include <asyncio/detail/ref.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>

#include <string>

namespace asyncio::detail {

class LoopCore;
class TransportState;

// What all transports have in common in calling a user's protocol.

/// Calls the factory. Throws TypeError if it makes nothing.
Ref<BaseProtocol> made_protocol(ProtocolMaker& maker);

/// Calls it, by the protocol's kind.
void call_connection_made(BaseProtocol& protocol, TransportState& transport);
bool call_eof_received(BaseProtocol& protocol);
/// What they throw is told; KeyboardInterrupt and SystemExit pass.
void call_pause_writing(BaseProtocol& protocol, TransportState& transport);
void call_resume_writing(BaseProtocol& protocol, TransportState& transport);

/// For a handler: tells the exception that is being handled. KeyboardInterrupt and SystemExit pass.
void tell_failed_call(const char* message, BaseProtocol& protocol, TransportState& transport);
/// The same for a method that is a callback of its own: "Exception in callback Mine.connection_made()".
void tell_failed_callback(const char* method, BaseProtocol& protocol, TransportState& transport);

/// `<Mine object at 0x7f…>`; nothing if there is no memory for it.
std::string repr_or_nothing(const BaseProtocol& protocol) noexcept;

}  // namespace asyncio::detail
