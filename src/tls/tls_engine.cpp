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
    context.check_role(options.server_side);
    bool has_post_handshake_auth = false;
    ssl_.reset(context.guarded([&] {
        checks_hostname_ = context.checks_hostname;
        has_post_handshake_auth = context.post_handshake_auth;
        return SSL_new(context.native());
    }));
    checked(ssl_.get());
    SSL_set_app_data(native(), this);
    pipe_.incoming = incoming_.get();
    pipe_.outgoing = outgoing_.get();
    BIO* bio = make_bio(pipe_);
    SSL_set_bio(native(), bio, bio);
    if (options.server_side) {
        if (options.session != nullptr && *options.session) context.check_session(*options.session, true, {}, {});
        SSL_set_accept_state(native());
        int mode = SSL_get_verify_mode(native());
        if (has_post_handshake_auth && (mode & SSL_VERIFY_PEER) != 0) {
            SSL_set_verify(native(), mode | SSL_VERIFY_POST_HANDSHAKE, nullptr);
        }
    } else {
        SSL_set_connect_state(native());
        if (has_post_handshake_auth) SSL_set_post_handshake_auth(native(), 1);
        configure_client(options);
    }
}

/// Without that, OpenSSL would take it for an error, and its session for none. CPython: _ssl.c, PySSL_dealloc
TlsEngine::~TlsEngine() { SSL_set_shutdown(native(), SSL_SENT_SHUTDOWN | SSL_get_shutdown(native())); }

// CPython: _ssl.c, _ssl_configure_hostname
void TlsEngine::configure_client(const WrapBioOptions& options) {
    if (options.server_hostname) {
        hostname_ = checked_hostname(*options.server_hostname);
        Freed<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(a2i_IPADDRESS(hostname_->c_str()));
        ERR_clear_error();
        X509_VERIFY_PARAM* checks = SSL_get0_param(native());
        if (!address) checked(SSL_set_tlsext_host_name(native(), hostname_->c_str()));
        if (checks_hostname_ && !address) {
            checked(X509_VERIFY_PARAM_set1_host(checks, hostname_->c_str(), hostname_->size()));
        } else if (checks_hostname_) {
            checked(X509_VERIFY_PARAM_set1_ip(checks, ASN1_STRING_get0_data(address.get()),
                                              static_cast<std::size_t>(ASN1_STRING_length(address.get()))));
        }
    } else if (checks_hostname_) {
        throw ValueError("check_hostname requires server_hostname");
    }
    if (options.session == nullptr || !*options.session) return;
    context().check_session(*options.session, false, hostname_, {SSL_get_verify_mode(native()), checks_hostname_});
    checked(SSL_set_session(native(), options.session->get()));
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
    Outcome outcome = outcome_of(SSL_do_handshake(native()));
    if (outcome == Outcome::done) has_begun_ = true;
    return outcome;
}

TlsEngine::Outcome TlsEngine::read(WritableBytes room, std::size_t& size) {
    Call call(*this);
    return outcome_of(SSL_read_ex(native(), room.data(), room.size(), &size));
}

bool TlsEngine::has_more() const noexcept {
    return incoming().pending() > 0 || incoming().has_ended() || SSL_has_pending(native()) != 0;
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

void TlsEngine::say_goodbye() {
    Call call(*this);
    if (SSL_in_init(native()) != 0 || (SSL_get_shutdown(native()) & SSL_SENT_SHUTDOWN) != 0) return;
    if (int result = SSL_shutdown(native()); result < 0) outcome_of(result);
}

void TlsEngine::set_carried() noexcept {
    is_carried_ = true;
    SSL_clear_mode(native(), SSL_MODE_ENABLE_PARTIAL_WRITE);
}

void TlsEngine::verify_client_post_handshake() {
    Call call(*this);
    if (SSL_verify_client_post_handshake(native()) != 1) throw_queued_error();
}

void TlsEngine::set_context(SSLContextState& context) {
    OwnErrors errors;
    int its_mode = 0;
    unsigned long its_flags = 0;
    std::size_t its_tickets = 0;
    checked(context.guarded([&] {
        its_mode = SSL_CTX_get_verify_mode(context.native());
        its_flags = X509_VERIFY_PARAM_get_flags(context.parameters());
        its_tickets = SSL_CTX_get_num_tickets(context.native());
        return SSL_set_SSL_CTX(native(), context.native());
    }));
    // What it says of checking is not taken over by that; nor may it check less.
    SSL_set_verify(native(), SSL_get_verify_mode(native()) | its_mode, nullptr);
    constexpr unsigned long stricter = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_X509_STRICT;
    X509_VERIFY_PARAM* checks = SSL_get0_param(native());
    unsigned long now = X509_VERIFY_PARAM_get_flags(checks);
    unsigned long wanted = (now & stricter) | its_flags;
    checked(X509_VERIFY_PARAM_clear_flags(checks, now & ~wanted));
    checked(X509_VERIFY_PARAM_set_flags(checks, wanted));
    checked(SSL_set_num_tickets(native(), its_tickets));
    context_ = FarRef<SSLContextState>(&context);
    has_changed_context_ = true;
}

/// True if the connection goes on. CPython: _ssl.c, _servername_callback
bool TlsEngine::call_sni_callback(std::optional<std::string_view> name, int* alert) noexcept {
    ErrorsOfCallback errors;
    try {
        Ref<TlsEngine> keep(this);
        std::shared_ptr<const SNICallback> callback = context().guarded([&] { return context().sni_callback; });
        if (!callback || std::exchange(name_is_told_, true)) return true;  // the second: of a hello that was asked for
        SSLObject connection(this);
        std::optional<AlertDescription> refusal = (*callback)(connection, name, connection.context());
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

namespace {

/// What RFC 6066 has as a server's name; false if it is none, which OpenSSL will say later.
bool find_server_name(SSL* ssl, std::optional<std::string_view>& name) noexcept {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1) return true;
    auto number_at = [&](std::size_t at) { return static_cast<std::size_t>(bytes[at] << 8 | bytes[at + 1]); };
    if (size < 5 || number_at(0) != size - 2 || bytes[2] != TLSEXT_NAMETYPE_host_name) return false;
    if (number_at(3) != size - 5 || size == 5) return false;
    name.emplace(reinterpret_cast<const char*>(bytes + 5), size - 5);
    return name->size() <= TLSEXT_MAXLEN_host_name && name->find('\0') == name->npos;
}

}  // namespace

int hello_has_come(SSL* ssl, int* alert, void*) noexcept {
    auto& engine = *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
    std::optional<std::string_view> name;
    if (!find_server_name(ssl, name)) return SSL_CLIENT_HELLO_SUCCESS;
    return engine.call_sni_callback(name, alert) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

}  // namespace asyncio::detail
