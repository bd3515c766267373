#include "tls/context_state.h"

#include "tls/openssl_errors.h"
#include "tls/tls_engine.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/tls/ssl_errors.h>

#include <openssl/x509v3.h>

#include <atomic>

namespace asyncio::detail {

static_assert(OP_NO_TICKET == SSL_OP_NO_TICKET && OP_NO_COMPRESSION == SSL_OP_NO_COMPRESSION &&
              OP_CIPHER_SERVER_PREFERENCE == SSL_OP_CIPHER_SERVER_PREFERENCE && OP_NO_TLSv1_3 == SSL_OP_NO_TLSv1_3 &&
              OP_NO_RENEGOTIATION == SSL_OP_NO_RENEGOTIATION &&
              OP_IGNORE_UNEXPECTED_EOF == SSL_OP_IGNORE_UNEXPECTED_EOF);
static_assert(VERIFY_CRL_CHECK_LEAF == X509_V_FLAG_CRL_CHECK &&
              VERIFY_CRL_CHECK_CHAIN == (X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) &&
              VERIFY_X509_STRICT == X509_V_FLAG_X509_STRICT &&
              VERIFY_ALLOW_PROXY_CERTS == X509_V_FLAG_ALLOW_PROXY_CERTS &&
              VERIFY_X509_TRUSTED_FIRST == X509_V_FLAG_TRUSTED_FIRST &&
              VERIFY_X509_PARTIAL_CHAIN == X509_V_FLAG_PARTIAL_CHAIN);
static_assert(static_cast<int>(TLSVersion::TLSv1_2) == TLS1_2_VERSION &&
              static_cast<int>(TLSVersion::TLSv1_3) == TLS1_3_VERSION);
static_assert(ALERT_DESCRIPTION_UNRECOGNIZED_NAME == SSL_AD_UNRECOGNIZED_NAME &&
              ALERT_DESCRIPTION_INTERNAL_ERROR == SSL_AD_INTERNAL_ERROR);

namespace {

// CPython: _ssl.c, PY_SSL_DEFAULT_CIPHER_STRING
constexpr const char* default_ciphers =
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

const SSL_METHOD* method_of(SSLMethod protocol) {
    switch (protocol) {
        case PROTOCOL_TLS_CLIENT:
            return TLS_client_method();
        case PROTOCOL_TLS_SERVER:
            return TLS_server_method();
    }
    throw ValueError("invalid or unsupported protocol version");
}

std::uint64_t next_number() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace

// CPython: _ssl.c, _ssl__SSLContext_impl
SSLContextState::SSLContextState(SSLMethod its_protocol) : protocol(its_protocol), number(next_number()) {
    OwnErrors errors;
    native_.reset(checked(SSL_CTX_new(method_of(its_protocol))));
    SSL_CTX_set_app_data(native(), this);
    SSL_CTX_set_options(native(), (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_COMPRESSION |
                                      SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(native(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    checked(SSL_CTX_set_cipher_list(native(), default_ciphers));
    checked(SSL_CTX_set_min_proto_version(native(), TLS1_2_VERSION));
    auto* own_number = reinterpret_cast<const unsigned char*>(&number);  // its sessions are of no other
    checked(SSL_CTX_set_session_id_context(native(), own_number, sizeof number));
    X509_VERIFY_PARAM_set_flags(parameters(), X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(parameters(),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    checks_hostname = !is_for_servers();
    set_verify_mode(is_for_servers() ? CERT_NONE : CERT_REQUIRED);
    // What a handshake looks at when it likes is there from the beginning.
    checked(X509_STORE_add_lookup(SSL_CTX_get_cert_store(native()), X509_LOOKUP_file()));
    if (!is_for_servers()) return;
    SSL_CTX_set_alpn_select_cb(native(), &SSLContextState::choose_alpn, this);
    SSL_CTX_set_client_hello_cb(native(), &hello_has_come, nullptr);
}

namespace {

bool needs_no_certificate(const SSL_CIPHER* cipher) noexcept {
    return SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null;
}

}  // namespace

void SSLContextState::check_role(bool server_side) const {
    if (server_side != is_for_servers()) {
        throw SSLError(server_side ? "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"
                                   : "Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
    }
}

// CPython: _ssl.c, PySSL_set_session, which asks for the context.
void SSLContextState::check_session(const SSLSession& session, bool server_side,
                                    const std::optional<std::string>& hostname, Checks checks) const {
    if (server_side) throw ValueError("Cannot set session for server-side SSLSocket.");
    const SessionOrigin& then = session.origin();
    if (then.context != number) throw ValueError("Session refers to a different SSLContext.");
    if ((checks.verify_mode & SSL_VERIFY_PEER) != 0 && !then.has_checked_certificate) {
        throw ValueError("Session is of a connection that has not checked the certificate");
    }
    if (checks.hostname && hostname && then.checked_hostname != hostname) {
        throw ValueError("Session is of a connection that was not checked for " + detail::quoted(*hostname));
    }
}

std::shared_ptr<const SSLSession> SSLContextState::copy_of(const SSLSession& session) const {
    return std::make_shared<const SSLSession>(session);
}

void SSLContextState::check(const TlsRequest& request) const {
    check_role(request.server_side);
    if (request.session && *request.session) {
        bool has_name = request.server_hostname && !request.server_hostname->empty();
        Checks checks = guarded([&] { return Checks{SSL_CTX_get_verify_mode(native()), checks_hostname}; });
        check_session(*request.session, request.server_side,
                      has_name ? std::optional(checked_hostname(*request.server_hostname)) : std::nullopt, checks);
    }
    if (request.server_side && !guarded([&] { return can_serve(); })) {
        throw ValueError("a server's SSLContext needs a certificate: load_cert_chain()");
    }
}

bool SSLContextState::can_serve() const noexcept {
    if (sni_callback || SSL_CTX_get0_certificate(native()) != nullptr) return true;
    STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(native());
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
        if (needs_no_certificate(sk_SSL_CIPHER_value(ciphers, i))) return true;
    }
    return false;
}

SSLContextState& context_of(const SSL_CTX* native) noexcept {
    return *static_cast<SSLContextState*>(SSL_CTX_get_app_data(native));
}

void SSLContextState::set_verify_mode(VerifyMode mode) noexcept {
    int native_mode = SSL_VERIFY_NONE;
    if (mode != CERT_NONE) native_mode = SSL_VERIFY_PEER;
    if (mode == CERT_REQUIRED) native_mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(native(), native_mode, &certificate_is_checked);
    verify_mode = mode;
}

namespace {

/// Takes the first protocol off such a list; empty at its end.
std::string_view take_protocol(std::string_view& list) noexcept {
    if (list.empty()) return {};
    std::string_view name = list.substr(1, static_cast<unsigned char>(list.front()));
    list.remove_prefix(1 + name.size());
    return name;
}

/// The first of ours that the client offers, in the words of his.
std::string_view common_protocol(std::string_view ours, std::string_view offered) noexcept {
    for (std::string_view wanted = take_protocol(ours); !wanted.empty(); wanted = take_protocol(ours)) {
        std::string_view rest = offered;
        for (std::string_view name = take_protocol(rest); !name.empty(); name = take_protocol(rest)) {
            if (name == wanted) return name;
        }
    }
    return {};
}

}  // namespace

/// None in common, and the connection goes on without.
int SSLContextState::choose_alpn(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                                 unsigned offered_size, void* context) {
    const auto& self = *static_cast<SSLContextState*>(context);
    std::string_view his(reinterpret_cast<const char*>(offered), offered_size);
    std::string_view name = self.guarded([&] { return common_protocol(self.alpn, his); });
    if (name.empty()) return SSL_TLSEXT_ERR_NOACK;
    *chosen = reinterpret_cast<const unsigned char*>(name.data());
    *size = static_cast<unsigned char>(name.size());
    return SSL_TLSEXT_ERR_OK;
}

void SSLContextState::set_keylog(const std::string& filename) {
    OwnErrors errors;
    OwnBio file;
    if (!filename.empty()) {
        file.reset(BIO_new_file(filename.c_str(), "a"));
        if (!file) throw_queued_error(filename);
    }
    std::string name = filename;
    guarded([&] {
        keylog_filename_.swap(name);
        keylog_.swap(file);
        // Never taken away again: OpenSSL reads the pointer twice, to test it and to call it, without a lock.
        if (keylog_) SSL_CTX_set_keylog_callback(native(), &SSLContextState::log_key);
    });
}

std::string SSLContextState::keylog_filename() {
    return guarded([this] { return keylog_filename_; });
}

/// What cannot be written is left out.
void SSLContextState::log_key(const SSL* ssl, const char* line) {
    ErrorsOfCallback errors;
    SSLContextState& self = context_of(SSL_get_SSL_CTX(ssl));
    self.guarded([&] {
        if (!self.keylog_) return;
        BIO_puts(self.keylog_.get(), line);
        BIO_puts(self.keylog_.get(), "\n");
        static_cast<void>(BIO_flush(self.keylog_.get()));
    });
}

}  // namespace asyncio::detail
