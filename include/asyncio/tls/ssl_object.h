#pragma once

#include <asyncio/detail/far_ref.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/transports.h>
#include <asyncio/tls/memory_bio.h>
#include <asyncio/tls/peer_certificate.h>
#include <asyncio/tls/ssl_context.h>
#include <asyncio/tls/ssl_session.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio {

namespace detail {

class TlsEngine;
void add_handle(TlsEngine& engine) noexcept;
void drop_handle(TlsEngine& engine) noexcept;

}  // namespace detail

/// One connection by TLS, without a transport: `SSLContext::wrap_bio()` makes it. Or what a transport has of it, by
/// `"ssl_object"`: then only to be looked at, also when that is gone, and do_handshake(), read(), write() and unwrap()
/// throw RuntimeError.
///
/// What would have to wait throws SSLWantReadError: carry what is in the outgoing bytes to the other end, put what
/// comes from there into the incoming ones, and try again. A handle, for one thread. Python: ssl.SSLObject.
class SSLObject {
public:
    /// None: tests false; its use throws RuntimeError.
    SSLObject() noexcept = default;
    /// What a transport has, of `get_extra_info("ssl_object")`; none if that is none.
    SSLObject(const ExtraInfo& info) noexcept;
    explicit operator bool() const noexcept { return engine_.get() != nullptr; }

    /// Goes on with it as far as it can.
    void do_handshake() const;
    /// At most `size` bytes; none: the other end has ended in good order. Throws SSLEOFError if it has not.
    std::string read(std::size_t size = 1024) const;
    std::size_t read(WritableBytes room) const;
    /// How many were written: it may be fewer.
    std::size_t write(BytesLike data) const;
    /// Ends TLS, and waits for the other end to do so.
    void unwrap() const;
    /// How many bytes can be read at once.
    std::size_t pending() const;

    /// That of the connection, by now. Python: connection.context.
    SSLContext context() const;
    /// For who is called with the name that a client asks for.
    void set_context(const SSLContext& context) const;
    /// Whether this end is the server. Python: connection.server_side.
    bool server_side() const;
    /// The name that a client wants the other end to have; none if it named none. Python: connection.server_hostname.
    std::optional<std::string> server_hostname() const;
    /// None before the handshake.
    std::optional<std::string> version() const;
    /// What is used; none before the handshake. Python: connection.cipher().
    std::optional<SSLCipher> cipher() const;
    /// None: there never is.
    std::optional<std::string> compression() const { return {}; }
    /// What both ends chose of their protocols; none if they did not.
    std::optional<std::string> selected_alpn_protocol() const;
    /// None if there is none, empty if nobody has checked it. Throws ValueError before the handshake.
    std::optional<PeerCertificate> getpeercert() const;
    /// As DER, checked or not. Python: getpeercert(binary_form=True). Throws ValueError before the handshake.
    std::optional<std::string> getpeercert_der() const;
    /// What was checked, from the other end's certificate to the authority's, as DER.
    std::vector<std::string> get_verified_chain() const;
    /// What the other end has sent, as DER.
    std::vector<std::string> get_unverified_chain() const;
    /// A client's, to be given to a later connection.
    SSLSession session() const;
    /// Whether it goes on with a former session. Python: connection.session_reused.
    bool session_reused() const;
    /// `"tls-unique"`; none before the handshake, and with TLS 1.3. Throws ValueError for another type.
    std::optional<std::string> get_channel_binding(std::string_view cb_type = "tls-unique") const;
    /// A server asks for a certificate, a transport's with what it writes next; it comes with what is read later.
    void verify_client_post_handshake() const;

    /// For the library.
    explicit SSLObject(detail::TlsEngine* engine) noexcept : engine_(engine) {}
    /// For the library.
    detail::TlsEngine& engine() const;

private:
    detail::TlsEngine& own_engine(const char* function) const;

    detail::FarRef<detail::TlsEngine> engine_;
};

}  // namespace asyncio
