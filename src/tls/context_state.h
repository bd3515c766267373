#pragma once

#include "detail/fork_aware.h"
#include "net/tls_layer.h"

#include <asyncio/tls/ssl_context.h>

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace asyncio::detail {

template <auto free>
struct FreedBy {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};
template <class T, auto free>
using Freed = std::unique_ptr<T, FreedBy<free>>;
using OwnBio = Freed<BIO, BIO_free_all>;
using OwnCertificate = Freed<X509, X509_free>;
using OwnSsl = Freed<SSL, SSL_free>;
inline void free_bytes(unsigned char* bytes) noexcept { OPENSSL_free(bytes); }  // a macro
/// What OpenSSL has allocated for its caller.
using OpensslBytes = Freed<unsigned char, free_bytes>;

/// What all handles of one SSLContext share, in several threads perhaps.
class SSLContextState final : public TlsContext {
public:
    explicit SSLContextState(SSLMethod protocol);

    /// Calls it while no other thread reads or changes the settings: those of the native context that a connection
    /// copies when it begins, which OpenSSL does not guard, and those below. It calls nobody's callback, and throws
    /// nothing of ours: what that does might want the same mutex.
    template <class F>
    auto guarded(F function) const {
        std::lock_guard guard(fork_safe_mutex_of(this));
        return function();
    }

    SSL_CTX* native() const noexcept { return native_.get(); }
    X509_VERIFY_PARAM* parameters() const noexcept { return SSL_CTX_get0_param(native()); }
    Ref<TlsLayer> make_layer(LoopCore& loop, Ref<BaseProtocol> protocol, const TlsRequest& request,
                             bool is_connected) override;
    void check(const TlsRequest& request) const override;
    std::shared_ptr<const SSLSession> copy_of(const SSLSession& session) const override;
    /// Throws SSLError if it is for the other side.
    void check_role(bool server_side) const;
    [[noreturn]] void refuse_early_bytes(std::size_t count) const override;
    /// What a connection checks of the other end.
    struct Checks {
        int verify_mode = 0;  // OpenSSL's
        bool hostname = false;
    };
    /// Throws ValueError if it is not for a connection to this host, or none to a host at all: what was not checked
    /// when it began would not be checked now.
    void check_session(const SSLSession& session, bool server_side, const std::optional<std::string>& hostname,
                       Checks checks) const;
    bool is_for_servers() const noexcept { return protocol == PROTOCOL_TLS_SERVER; }
    void use_chain(BIO& certificates, BIO& key, const KeyPassword& password, const std::string& certificate_file,
                   const std::string& key_file);
    void trust(BytesLike cadata);
    void set_verify_mode(VerifyMode mode) noexcept;
    void set_keylog(const std::string& filename);
    std::string keylog_filename();

    const SSLMethod protocol;
    const std::uint64_t number;  // never another's

    // Settings, which are guarded.
    bool checks_hostname = false;
    VerifyMode verify_mode = CERT_NONE;
    bool post_handshake_auth = false;
    std::string alpn;  // each with its length before it
    std::shared_ptr<const SNICallback> sni_callback;

private:
    ~SSLContextState() override = default;
    bool can_serve() const noexcept;
    static int choose_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                           unsigned offered_size, void* context);
    static void log_key(const SSL* ssl, const char* line);

    std::string keylog_filename_;
    Freed<SSL_CTX, SSL_CTX_free> native_;
    OwnBio keylog_;
};

/// Calls the SNI callback of the connection's context, before OpenSSL looks for a session: a session of one context
/// must not serve for another, which may ask for other certificates (CVE-2025-23419 of nginx).
int hello_has_come(SSL* ssl, int* alert, void*) noexcept;

/// Notes for whom a certificate is that is refused.
int certificate_is_checked(int good, X509_STORE_CTX* check) noexcept;

/// The one to which an SSL_CTX belongs.
SSLContextState& context_of(const SSL_CTX* native) noexcept;

}  // namespace asyncio::detail
