#include "tls/tls_engine.h"

#include "tls/certificate_names.h"
#include "tls/openssl_errors.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/tls/ssl_errors.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <new>
#include <utility>

namespace asyncio::detail {

void add_handle(TlsEngine& engine) noexcept { engine.inc_ref(); }
void drop_handle(TlsEngine& engine) noexcept { engine.dec_ref(); }
void add_handle(SSLContextState& context) noexcept { context.inc_ref(); }
void drop_handle(SSLContextState& context) noexcept { context.dec_ref(); }

std::string checked_hostname(std::string_view name) {
    if (name.empty() || name.front() == '.') {
        throw ValueError("server_hostname cannot be an empty string or start with a leading dot.");
    }
    for (char letter : name) {
        if (letter == '\0') throw ValueError("embedded null character");
        if (static_cast<unsigned char>(letter) >= 0x80) {
            throw ValueError("a server_hostname with letters beyond ASCII has to be given as IDNA writes it: xn--…");
        }
    }
    if (name.back() == '.') name.remove_suffix(1);  // that of a full name, which certificates leave out
    return std::string(name);
}

/// While OpenSSL is called, which may call back: a callback may drop whatever handle it likes.
class TlsEngine::Call {
public:
    explicit Call(TlsEngine& engine) : engine_(&engine) {
        if (engine.is_busy_) throw RuntimeError("an SSLObject cannot be used within a callback of its own");
        engine.is_busy_ = true;
    }
    ~Call() { engine_->is_busy_ = false; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

private:
    Ref<TlsEngine> engine_;
    OwnErrors errors_;
};

// CPython: _ssl.c, newPySSLSocket
TlsEngine::TlsEngine(SSLContextState& context, Ref<TlsBytes> incoming, Ref<TlsBytes> outgoing,
                     const WrapBioOptions& options)
    : first_context_(&context), context_(&context), incoming_(std::move(incoming)), outgoing_(std::move(outgoing)) {
    OwnErrors errors;
    if (options.server_side && options.server_hostname) {
        throw ValueError("server_hostname can only be specified in client mode");
    }
    if (options.server_side != context.is_for_servers()) {
        throw SSLError(options.server_side ? "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"
                                           : "Cannot create a client socket with a PROTOCOL_TLS_SERVER context");
    }
    ssl_.reset(checked(SSL_new(context.native())));
    SSL_set_app_data(native(), this);
    pipe_.incoming = incoming_.get();
    pipe_.outgoing = outgoing_.get();
    BIO* bio = make_bio(pipe_);
    SSL_set_bio(native(), bio, bio);
    if (options.server_side) {
        SSL_set_accept_state(native());
        int mode = SSL_get_verify_mode(native());
        if (context.post_handshake_auth && (mode & SSL_VERIFY_PEER) != 0) {
            SSL_set_verify(native(), mode | SSL_VERIFY_POST_HANDSHAKE, nullptr);
        }
    } else {
        SSL_set_connect_state(native());
        configure_client(options);
    }
}

/// Without that, OpenSSL would take it for an error, and its session for none. CPython: _ssl.c, PySSL_dealloc
TlsEngine::~TlsEngine() { SSL_set_shutdown(native(), SSL_SENT_SHUTDOWN | SSL_get_shutdown(native())); }

namespace {

/// What was not checked then would not be checked now. CPython: _ssl.c, PySSL_set_session, which asks for the context.
void check_session(const SessionOrigin& then, const SessionOrigin& now) {
    if (then.context != now.context) throw ValueError("Session refers to a different SSLContext.");
    if (now.has_checked_certificate && !then.has_checked_certificate) {
        throw ValueError("Session is of a connection that has not checked the certificate");
    }
    if (now.checked_hostname && then.checked_hostname != now.checked_hostname) {
        throw ValueError("Session is of a connection that was not checked for " + quoted(*now.checked_hostname));
    }
}

}  // namespace

// CPython: _ssl.c, _ssl_configure_hostname
void TlsEngine::configure_client(const WrapBioOptions& options) {
    if (context().post_handshake_auth) SSL_set_post_handshake_auth(native(), 1);
    checks_hostname_ = context().checks_hostname;
    if (options.server_hostname) {
        hostname_ = checked_hostname(*options.server_hostname);
        Freed<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(a2i_IPADDRESS(hostname_->c_str()));
        ERR_clear_error();
        X509_VERIFY_PARAM* checks = SSL_get0_param(native());
        if (!address) checked(SSL_set_tlsext_host_name(native(), hostname_->c_str()));
        if (context().checks_hostname && !address) {
            checked(X509_VERIFY_PARAM_set1_host(checks, hostname_->c_str(), hostname_->size()));
        } else if (context().checks_hostname) {
            checked(X509_VERIFY_PARAM_set1_ip(checks, ASN1_STRING_get0_data(address.get()),
                                              static_cast<std::size_t>(ASN1_STRING_length(address.get()))));
        }
    } else if (context().checks_hostname) {
        throw ValueError("check_hostname requires server_hostname");
    }
    if (!options.session) return;
    check_session(options.session.origin(), origin());
    checked(SSL_set_session(native(), options.session.get()));
}

SessionOrigin TlsEngine::origin() const {
    return {.context = has_changed_context_ ? 0 : context().number,
            .has_checked_certificate = (SSL_get_verify_mode(native()) & SSL_VERIFY_PEER) != 0,
            .checked_hostname = checks_hostname_ ? hostname_ : std::nullopt};
}

TlsEngine::Outcome TlsEngine::outcome_of(int result) {
    if (result > 0) return Outcome::done;
    if (std::exchange(pipe_.lacks_memory, false)) throw std::bad_alloc();
    int error = SSL_get_error(native(), result);
    if (error == SSL_ERROR_WANT_READ) return Outcome::wants_read;
    if (error == SSL_ERROR_ZERO_RETURN) return Outcome::closed;
    if (thrown_by_callback_) std::rethrow_exception(std::exchange(thrown_by_callback_, nullptr));
    std::rethrow_exception(connection_error(native(), result, hostname_.value_or(""), refused_names_));
}

TlsEngine::Outcome TlsEngine::do_handshake() {
    Call call(*this);
    return outcome_of(SSL_do_handshake(native()));
}

TlsEngine::Outcome TlsEngine::read(WritableBytes room, std::size_t& size) {
    Call call(*this);
    return outcome_of(SSL_read_ex(native(), room.data(), room.size(), &size));
}

TlsEngine::Outcome TlsEngine::write(std::string_view data, std::size_t& size) {
    Call call(*this);
    return outcome_of(SSL_write_ex(native(), data.data(), data.size(), &size));
}

TlsEngine::Outcome TlsEngine::shutdown() {
    Call call(*this);
    int result = SSL_shutdown(native());
    if (result == 0) result = SSL_shutdown(native());  // the first has sent, the second looks for the other end's
    return outcome_of(result);
}

void TlsEngine::verify_client_post_handshake() {
    Call call(*this);
    if (SSL_verify_client_post_handshake(native()) != 1) throw_queued_error();
}

void TlsEngine::set_context(SSLContextState& context) {
    OwnErrors errors;
    checked(SSL_set_SSL_CTX(native(), context.native()));
    // What it says of checking is not taken over by that; nor may it check less.
    int mode = SSL_get_verify_mode(native()) | SSL_CTX_get_verify_mode(context.native());
    SSL_set_verify(native(), mode, nullptr);
    context_ = FarRef<SSLContextState>(&context);
    has_changed_context_ = true;
}

/// True if the connection goes on. CPython: _ssl.c, _servername_callback
bool TlsEngine::call_sni_callback(const char* name, int* alert) noexcept {
    ErrorsOfCallback errors;
    try {
        Ref<TlsEngine> keep(this);
        SNICallback callback = context().sni_callback;
        if (!callback) return true;
        SSLObject connection(this);
        std::optional<std::string_view> asked_for;
        if (name != nullptr) asked_for = name;
        std::optional<AlertDescription> refusal = callback(connection, asked_for, connection.context());
        if (!refusal) return true;
        *alert = *refusal;
    } catch (...) {
        thrown_by_callback_ = std::current_exception();
        *alert = ALERT_DESCRIPTION_HANDSHAKE_FAILURE;
    }
    return false;
}

void TlsEngine::note_refused(const X509& certificate) noexcept {
    ErrorsOfCallback errors;
    try {
        refused_names_ = certificate_names(certificate);
    } catch (...) {  // no memory for them
    }
}

int certificate_is_checked(int good, X509_STORE_CTX* check) noexcept {
    int error = X509_STORE_CTX_get_error(check);
    if (good == 0 && (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
        auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()));
        static_cast<TlsEngine*>(SSL_get_app_data(ssl))->note_refused(*X509_STORE_CTX_get0_cert(check));
    }
    return good;
}

int server_name_is_asked_for(SSL* ssl, int* alert, void*) noexcept {
    auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return engine.call_sni_callback(name, alert) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace asyncio::detail
