#pragma once

#include "tls/context_state.h"
#include "tls/tls_bytes.h"

#include <asyncio/detail/counted.h>
#include <asyncio/detail/ref.h>
#include <asyncio/tls/ssl_object.h>

#include <openssl/ssl.h>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// One connection by TLS, which knows nothing of sockets and loops: bytes come in and go out by two queues.
class TlsEngine final : public Counted {
public:
    TlsEngine(SSLContextState& context, Ref<TlsBytes> incoming, Ref<TlsBytes> outgoing, const WrapBioOptions& options);

    /// What a call has come to; what is worse is thrown as an SSLError.
    enum class Outcome { done, wants_read, closed };
    /// Throw RuntimeError within a callback of the same connection, as OpenSSL cannot be called twice at once.
    Outcome do_handshake();
    Outcome read(WritableBytes room, std::size_t& size);
    /// Whether a `read()` behind one that gave something can give more, or the end.
    bool has_more() const noexcept;
    Outcome write(std::string_view data, std::size_t& size);
    /// Sends a close_notify, once; done when the other end's has come, too.
    Outcome shutdown();
    /// The first half of that: what comes can still be read. Does nothing the second time, and in the middle of a
    /// message of the other end.
    void say_goodbye();
    void verify_client_post_handshake();
    bool is_busy() const noexcept { return is_busy_; }
    /// It is a transport's, who alone may call the first four of these from now on; `write()` takes all of a piece.
    void set_carried() noexcept;
    bool is_carried() const noexcept { return is_carried_; }

    SSL* native() const noexcept { return ssl_.get(); }
    TlsBytes& incoming() const noexcept { return *incoming_; }
    TlsBytes& outgoing() const noexcept { return *outgoing_; }
    SSLContextState& context() const noexcept { return *context_.get(); }
    void set_context(SSLContextState& context);
    bool is_server() const noexcept { return SSL_is_server(native()) != 0; }
    const std::optional<std::string>& hostname() const noexcept { return hostname_; }
    bool call_sni_callback(std::optional<std::string_view> name, int* alert) noexcept;
    void note_refused(const X509& certificate) noexcept;
    /// Not so by OpenSSL in the middle of a later message.
    bool is_begun() const noexcept { return has_begun_ || SSL_is_init_finished(native()) != 0; }

    /// What a later connection may take a session of this one for.
    SessionOrigin origin() const;

private:
    class Call;
    ~TlsEngine() override;
    void configure_client(const WrapBioOptions& options);
    Outcome outcome_of(int result);

    FarRef<SSLContextState> first_context_;  // OpenSSL may still ask it
    FarRef<SSLContextState> context_;
    Ref<TlsBytes> incoming_;
    Ref<TlsBytes> outgoing_;
    TlsPipe pipe_;
    OwnSsl ssl_;
    std::optional<std::string> hostname_;
    bool checks_hostname_ = false;
    bool has_changed_context_ = false;
    bool is_carried_ = false;
    bool is_busy_ = false;       // OpenSSL is called
    bool name_is_told_ = false;  // to the SNI callback
    bool has_begun_ = false;
    std::string refused_names_;  // of a certificate that is for another
    std::exception_ptr thrown_by_callback_;
};

/// The name as it is sent and checked. Throws ValueError for what is none.
std::string checked_hostname(std::string_view name);

void add_handle(SSLContextState& context) noexcept;
void drop_handle(SSLContextState& context) noexcept;

}  // namespace asyncio::detail
