#pragma once

#include <asyncio/net/protocols.h>
#include <asyncio/net/socket_address.h>
#include <asyncio/net/transports.h>

#include <exception>
#include <string_view>
#include <type_traits>

namespace asyncio::detail {

template <class P>
inline constexpr bool is_stream_protocol = std::is_base_of_v<Protocol, P> || std::is_base_of_v<BufferedProtocol, P>;

// Whether a method that can be named is the one that the transport calls.

template <class P>
concept CallsConnectionLost = !requires {
    &P::connection_lost;
}
|| requires { static_cast<void (P::*)(std::exception_ptr)>(&P::connection_lost); };
template <class P>
concept CallsPauseWriting = !requires {
    &P::pause_writing;
}
|| requires { static_cast<void (P::*)()>(&P::pause_writing); };
template <class P>
concept CallsResumeWriting = !requires {
    &P::resume_writing;
}
|| requires { static_cast<void (P::*)()>(&P::resume_writing); };
template <class P, class T>
concept CallsConnectionMade = !requires {
    &P::connection_made;
}
|| requires { static_cast<void (P::*)(T)>(&P::connection_made); };
template <class P>
concept CallsEofReceived = !requires {
    &P::eof_received;
}
|| requires { static_cast<bool (P::*)()>(&P::eof_received); };
template <class P>
concept CallsDataReceived = !requires {
    &P::data_received;
}
|| requires { static_cast<void (P::*)(std::string_view)>(&P::data_received); };
template <class P>
concept CallsDatagramReceived = !requires {
    &P::datagram_received;
}
|| requires { static_cast<void (P::*)(std::string_view, const SocketAddress&)>(&P::datagram_received); };
template <class P>
concept CallsErrorReceived = !requires {
    &P::error_received;
}
|| requires { static_cast<void (P::*)(std::exception_ptr)>(&P::error_received); };

/// A method of the same name with other parameters hides the one that is called, and is silently never called itself.
template <class P>
consteval void check_methods() {
    static_assert(CallsConnectionLost<P>, "it would never be called: connection_lost(std::exception_ptr)");
    static_assert(CallsPauseWriting<P>, "it would never be called: pause_writing() has no parameter");
    static_assert(CallsResumeWriting<P>, "it would never be called: resume_writing() has no parameter");
    if constexpr (std::is_base_of_v<DatagramProtocol, P>) {
        static_assert(CallsConnectionMade<P, DatagramTransport>,
                      "it would never be called: connection_made(DatagramTransport)");
        static_assert(CallsDatagramReceived<P>,
                      "it would never be called: datagram_received(std::string_view, const SocketAddress&)");
        static_assert(CallsErrorReceived<P>, "it would never be called: error_received(std::exception_ptr)");
    } else if constexpr (is_stream_protocol<P>) {
        static_assert(CallsConnectionMade<P, Transport>,
                      "it would never be called: connection_made(Transport), also of a pipe; a Transport is a "
                      "WriteTransport, and converts to a ReadTransport");
        static_assert(CallsEofReceived<P>, "it would never be called: bool eof_received()");
        if constexpr (std::is_base_of_v<Protocol, P>) {
            static_assert(CallsDataReceived<P>, "it would never be called: data_received(std::string_view)");
        }
    }
}

}  // namespace asyncio::detail
