#pragma once

#include "net/transport_state.h"

#include <asyncio/core/future.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/tls_option.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::detail {

struct TlsRequest;

/// What a transport has as its protocol that carries TLS already.
class ProtocolBelowTls : public BufferedProtocol {
public:
    /// Closes the transport above, which ends TLS in good order first.
    virtual void close_above() noexcept = 0;
};

/// Closes a connection by the uppermost of what stands on this transport.
void close_in_order(TransportState& transport) noexcept;

/// How many the process may have open.
std::size_t descriptor_limit() noexcept;

/// TLS between a transport and a protocol: what that protocol stands on.
class TlsLayer : public TransportState {
public:
    /// The protocol for the transport below. When that has made a connection the handshake begins.
    virtual Ref<BaseProtocol> lower_protocol() = 0;
    /// Ended with the handshake, or by what it fails by.
    virtual void set_waiter(Future<> waiter) noexcept = 0;
    /// What has come before the handshake begins.
    virtual void feed(std::string_view data) = 0;
    /// For a stream that had more than it may keep before it knew of this: it has paused the transport below, and will
    /// resume this one.
    virtual void take_over_pause() noexcept = 0;

protected:
    TlsLayer() noexcept;
    ~TlsLayer() override = default;
    /// True in a forked child of the process that made it. Two processes must not encipher by the same key and number.
    bool is_of_another_process() const noexcept;

private:
    unsigned generation_;  // of the process
};

/// An SSLContext's state, as far as it is known without OpenSSL. Handles of it may be in several threads.
class TlsContext {
public:
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }
    /// `is_connected`: the protocol has been told of its connection already.
    virtual Ref<TlsLayer> make_layer(LoopCore& loop, Ref<BaseProtocol> protocol, const TlsRequest& request,
                                     bool is_connected) = 0;
    /// Throws ValueError if no connection can come of it.
    virtual void check(const TlsRequest& request) const = 0;
    virtual std::shared_ptr<const SSLSession> copy_of(const SSLSession& session) const = 0;
    /// Throws the SSLError that so many bytes have come before TLS.
    [[noreturn]] virtual void refuse_early_bytes(std::size_t count) const = 0;

protected:
    TlsContext() noexcept = default;
    virtual ~TlsContext();

private:
    unsigned references_ = 0;
};

/// What is asked of TLS by a function's keyword arguments, kept.
struct TlsRequest {
    template <class Options>
    static TlsRequest from(const Options& options, bool server_side) {
        return from(options.ssl, options, server_side);
    }
    template <class Options>
    static TlsRequest from(TlsOption ssl, const Options& options, bool server_side) {
        TlsRequest request{Ref<TlsContext>(ssl.context()),
                           server_side,
                           {},
                           options.ssl_handshake_timeout,
                           options.ssl_shutdown_timeout};
        if constexpr (requires { options.server_hostname; }) {
            if (options.server_hostname) request.server_hostname.emplace(*options.server_hostname);
        }
        if constexpr (requires { options.session; }) {
            if (options.session != nullptr) request.keep(*options.session);
        }
        return request;
    }
    explicit operator bool() const noexcept { return static_cast<bool>(context); }
    /// Throws ValueError for what has no meaning without TLS, for times that are none, for a client without a name, and
    /// for a session that is not for it.
    void check() const;
    Ref<TlsLayer> make_layer(LoopCore& loop, Ref<BaseProtocol> protocol, bool is_connected = false) const {
        return context->make_layer(loop, std::move(protocol), *this, is_connected);
    }

    Ref<TlsContext> context = {};  // null: no TLS
    bool server_side = false;
    std::optional<std::string> server_hostname = {};
    std::optional<Seconds> handshake_timeout = {};
    std::optional<Seconds> shutdown_timeout = {};
    const char* without_name = nullptr;  // what to say of a client without a name; null: nothing
    bool has_session = false;
    std::shared_ptr<const SSLSession> session = nullptr;

private:
    void keep(const SSLSession& given) {
        has_session = true;
        if (context) session = context->copy_of(given);
    }
};

/// The one whose protocols stand on TLS, or the same one if that was not asked for.
Ref<ProtocolMaker> over_tls(Ref<ProtocolMaker> maker, TlsRequest request);

/// Puts it on a connected socket, and waits for the handshake.
Coro<> begin_tls(Socket socket, Ref<TlsLayer> layer);
/// What a task waits for meanwhile.
std::string text_of_handshake(const void*, int fd);

}  // namespace asyncio::detail
