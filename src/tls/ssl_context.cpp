#include <asyncio/tls/ssl_context.h>

#include "tls/context_state.h"
#include "tls/openssl_errors.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/tls/ssl_errors.h>

#include <cstdlib>
#include <utility>

namespace asyncio {

using detail::OwnErrors;

namespace {

// A function: two sources' lambdas would be one template argument for clang's linker, where a library is shared.
void free_ciphers(STACK_OF(SSL_CIPHER) * all) noexcept { sk_SSL_CIPHER_free(all); }

}  // namespace

SSLContext::SSLContext(SSLMethod protocol) : SSLContext(new detail::SSLContextState(protocol)) {}
SSLContext::SSLContext(detail::SSLContextState* state) noexcept : TlsContextHandle(state) {}
detail::SSLContextState& SSLContext::state() const noexcept {
    return static_cast<detail::SSLContextState&>(*tls_context());
}
SSLMethod SSLContext::protocol() const noexcept { return state().protocol; }

SSLContext create_default_context(Purpose purpose, const VerifyLocations& locations) {
    SSLContext context(purpose == Purpose::SERVER_AUTH ? PROTOCOL_TLS_CLIENT : PROTOCOL_TLS_SERVER);
    context.set_verify_flags(context.verify_flags() | VERIFY_X509_PARTIAL_CHAIN | VERIFY_X509_STRICT);
    if (!locations.cafile.empty() || !locations.capath.empty() || !locations.cadata.empty()) {
        context.load_verify_locations(locations);
    } else if (context.verify_mode() != CERT_NONE) {
        context.load_default_certs(purpose);
    }
    const char* keylog = std::getenv("SSLKEYLOGFILE");
    if (keylog != nullptr && *keylog != '\0') context.set_keylog_filename(keylog);
    return context;
}

// Who is trusted.

bool SSLContext::check_hostname() const noexcept {
    return state().guarded([&] { return state().checks_hostname; });
}

void SSLContext::set_check_hostname(bool check) const {
    state().guarded([&] {
        if (check && state().verify_mode == CERT_NONE) state().set_verify_mode(CERT_REQUIRED);
        state().checks_hostname = check;
    });
}

VerifyMode SSLContext::verify_mode() const noexcept {
    return state().guarded([&] { return state().verify_mode; });
}

void SSLContext::set_verify_mode(VerifyMode mode) const {
    if (mode != CERT_NONE && mode != CERT_OPTIONAL && mode != CERT_REQUIRED) {
        throw ValueError("invalid value for verify_mode");
    }
    bool is_set = state().guarded([&] {
        if (mode == CERT_NONE && state().checks_hostname) return false;
        state().set_verify_mode(mode);
        return true;
    });
    if (!is_set) throw ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.");
}

VerifyFlags SSLContext::verify_flags() const noexcept {
    return state().guarded([&] { return static_cast<VerifyFlags>(X509_VERIFY_PARAM_get_flags(state().parameters())); });
}

void SSLContext::set_verify_flags(VerifyFlags flags) const {
    OwnErrors errors;
    detail::checked(state().guarded([&] {
        X509_VERIFY_PARAM* parameters = state().parameters();
        unsigned long now = X509_VERIFY_PARAM_get_flags(parameters);
        unsigned long gone = now & ~static_cast<unsigned long>(flags);
        if (gone != 0 && X509_VERIFY_PARAM_clear_flags(parameters, gone) != 1) return 0;
        unsigned long come = static_cast<unsigned long>(flags) & ~now;
        return come != 0 ? X509_VERIFY_PARAM_set_flags(parameters, come) : 1;
    }));
}

// How they speak.

namespace {

/// Of OpenSSL, which says 0 for no limit.
TLSVersion version_of(long number, TLSVersion none) noexcept {
    return number == 0 ? none : static_cast<TLSVersion>(number);
}

int number_of(TLSVersion version, int newest, int oldest) {
    switch (version) {
        case TLSVersion::MINIMUM_SUPPORTED:
            return oldest;
        case TLSVersion::MAXIMUM_SUPPORTED:
            return newest;
        case TLSVersion::TLSv1:
        case TLSVersion::TLSv1_1:
        case TLSVersion::TLSv1_2:
        case TLSVersion::TLSv1_3:
            return static_cast<int>(version);
    }
    throw ValueError("Unsupported TLS/SSL version " + std::to_string(static_cast<int>(version)));
}

}  // namespace

TLSVersion SSLContext::minimum_version() const noexcept {
    long number = state().guarded([&] { return SSL_CTX_get_min_proto_version(state().native()); });
    return version_of(number, TLSVersion::MINIMUM_SUPPORTED);
}
void SSLContext::set_minimum_version(TLSVersion version) const {
    OwnErrors errors;
    int number = number_of(version, TLS1_3_VERSION, 0);
    detail::checked(state().guarded([&] { return SSL_CTX_set_min_proto_version(state().native(), number); }));
}
TLSVersion SSLContext::maximum_version() const noexcept {
    long number = state().guarded([&] { return SSL_CTX_get_max_proto_version(state().native()); });
    return version_of(number, TLSVersion::MAXIMUM_SUPPORTED);
}
void SSLContext::set_maximum_version(TLSVersion version) const {
    OwnErrors errors;
    int number = number_of(version, 0, TLS1_VERSION);
    detail::checked(state().guarded([&] { return SSL_CTX_set_max_proto_version(state().native(), number); }));
}

SSLOptions SSLContext::options() const noexcept {
    return static_cast<SSLOptions>(state().guarded([&] { return SSL_CTX_get_options(state().native()); }));
}
void SSLContext::set_options(SSLOptions options) const {
    state().guarded([&] {
        std::uint64_t now = SSL_CTX_get_options(state().native());
        SSL_CTX_clear_options(state().native(), now & ~static_cast<std::uint64_t>(options));
        SSL_CTX_set_options(state().native(), options);
    });
}

int SSLContext::security_level() const noexcept {
    return state().guarded([&] { return SSL_CTX_get_security_level(state().native()); });
}
void SSLContext::set_security_level(int level) const {
    if (level < 0 || level > 5) throw ValueError("a security level is one of 0 to 5");
    state().guarded([&] { SSL_CTX_set_security_level(state().native(), level); });
}

void SSLContext::set_ciphers(const std::string& ciphers) const {
    OwnErrors errors;
    if (state().guarded([&] { return SSL_CTX_set_cipher_list(state().native(), ciphers.c_str()); }) != 1) {
        throw SSLError("No cipher can be selected.");
    }
}
void SSLContext::set_ciphersuites(const std::string& ciphersuites) const {
    OwnErrors errors;
    if (state().guarded([&] { return SSL_CTX_set_ciphersuites(state().native(), ciphersuites.c_str()); }) != 1) {
        throw SSLError("No cipher suite can be selected.");
    }
}

std::vector<std::string> SSLContext::get_ciphers() const {
    detail::Freed<STACK_OF(SSL_CIPHER), free_ciphers> all(
        state().guarded([&] { return sk_SSL_CIPHER_dup(SSL_CTX_get_ciphers(state().native())); }));
    if (!all) throw std::bad_alloc();
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(sk_SSL_CIPHER_num(all.get())));
    for (int i = 0; i < sk_SSL_CIPHER_num(all.get()); ++i)
        names.emplace_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all.get(), i)));
    return names;
}

void SSLContext::set_ecdh_curve(const std::string& curve) const {
    OwnErrors errors;
    if (state().guarded([&] { return SSL_CTX_set1_groups_list(state().native(), curve.c_str()); }) != 1) {
        throw ValueError("unknown elliptic curve name " + detail::quoted(curve));
    }
}

void SSLContext::set_alpn_protocols(const std::vector<std::string>& protocols) const {
    OwnErrors errors;
    std::string all;
    for (const std::string& protocol : protocols) {
        if (protocol.empty() || protocol.size() > 255) throw SSLError("ALPN protocols must be 1 to 255 in length");
        all += static_cast<char>(protocol.size());
        all += protocol;
    }
    if (all.size() > 65535) throw ValueError("protocols longer than 65535 bytes");
    auto* bytes = reinterpret_cast<const unsigned char*>(all.data());
    bool is_set = state().guarded([&] {
        if (SSL_CTX_set_alpn_protos(state().native(), bytes, static_cast<unsigned>(all.size())) != 0) return false;
        state().alpn.swap(all);
        return true;
    });
    if (!is_set) throw std::bad_alloc();
}

void SSLContext::set_sni_callback(SNICallback callback) const {
    if (!state().is_for_servers()) {
        throw ValueError("sni_callback cannot be set on TLS_CLIENT context");
    }
    std::shared_ptr<const SNICallback> other;
    if (callback) other = std::make_shared<const SNICallback>(std::move(callback));
    state().guarded([&] { state().sni_callback.swap(other); });
}

std::string SSLContext::keylog_filename() const { return state().keylog_filename(); }
void SSLContext::set_keylog_filename(const std::string& filename) const { state().set_keylog(filename); }

int SSLContext::num_tickets() const noexcept {
    return static_cast<int>(state().guarded([&] { return SSL_CTX_get_num_tickets(state().native()); }));
}
void SSLContext::set_num_tickets(int count) const {
    if (count < 0) throw ValueError("value must be non-negative");
    if (!state().is_for_servers()) throw ValueError("SSLContext is not a server context.");
    auto number = static_cast<std::size_t>(count);
    detail::checked(state().guarded([&] { return SSL_CTX_set_num_tickets(state().native(), number); }));
}

bool SSLContext::post_handshake_auth() const noexcept {
    return state().guarded([&] { return state().post_handshake_auth; });
}
void SSLContext::set_post_handshake_auth(bool enabled) const {
    state().guarded([&] { state().post_handshake_auth = enabled; });
}

}  // namespace asyncio
