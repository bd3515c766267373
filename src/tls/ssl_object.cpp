#include <asyncio/tls/ssl_object.h>

#include "tls/certificate_names.h"
#include "tls/openssl_errors.h"
#include "tls/tls_engine.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/tls/ssl_errors.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace asyncio {

using detail::der_of;
using detail::OwnErrors;
using detail::TlsEngine;

SSLObject SSLContext::wrap_bio(const MemoryBIO& incoming, const MemoryBIO& outgoing,
                               const WrapBioOptions& options) const {
    return SSLObject(new TlsEngine(state(), detail::Ref<detail::TlsBytes>(&incoming.bytes()),
                                   detail::Ref<detail::TlsBytes>(&outgoing.bytes()), options));
}

SSLObject::SSLObject(const ExtraInfo& info) noexcept : engine_(dynamic_cast<TlsEngine*>(info.tls().get())) {}

detail::TlsEngine& SSLObject::engine() const {
    if (engine_.get() == nullptr) throw RuntimeError("this handle is empty: it names no SSLObject");
    return *engine_.get();
}

/// For what would take the transport's bytes away, or put some of its own between them.
detail::TlsEngine& SSLObject::own_engine(const char* function) const {
    if (!engine().is_carried()) return engine();
    throw RuntimeError(std::string("cannot call ") + function +
                       "(): this SSLObject is a transport's, and only to be looked at; read, write and close by the "
                       "transport or its streams");
}

namespace {

/// What has to wait is an exception here.
void check_is_done(TlsEngine::Outcome outcome) {
    if (outcome == TlsEngine::Outcome::wants_read) throw SSLWantReadError("The operation did not complete (read)");
    if (outcome == TlsEngine::Outcome::closed) throw SSLZeroReturnError("TLS/SSL connection has been closed (EOF)");
}

std::vector<std::string> der_of_all(STACK_OF(X509) * chain) {
    std::vector<std::string> all;
    all.reserve(static_cast<std::size_t>(std::max(sk_X509_num(chain), 0)));  // -1: there is none
    for (int i = 0; i < sk_X509_num(chain); ++i) all.push_back(der_of(sk_X509_value(chain, i)));
    return all;
}

}  // namespace

void SSLObject::do_handshake() const { check_is_done(own_engine("do_handshake").do_handshake()); }

std::string SSLObject::read(std::size_t size) const {
    std::string text(size, '\0');
    text.resize(read(WritableBytes(text)));
    return text;
}

std::size_t SSLObject::read(WritableBytes room) const {
    TlsEngine& engine = own_engine("read");
    std::size_t size = 0;
    if (room.size() == 0) return 0;
    TlsEngine::Outcome outcome = engine.read(room, size);
    if (outcome == TlsEngine::Outcome::closed) return 0;
    check_is_done(outcome);
    return size;
}

std::size_t SSLObject::write(BytesLike data) const {
    TlsEngine& engine = own_engine("write");
    std::size_t size = 0;
    if (data.empty()) return 0;
    check_is_done(engine.write(data.view(), size));
    return size;
}

void SSLObject::unwrap() const { check_is_done(own_engine("unwrap").shutdown()); }
std::size_t SSLObject::pending() const { return static_cast<std::size_t>(SSL_pending(engine().native())); }

SSLContext SSLObject::context() const { return SSLContext(&engine().context()); }
void SSLObject::set_context(const SSLContext& context) const { engine().set_context(context.state()); }
bool SSLObject::server_side() const { return engine().is_server(); }
std::optional<std::string> SSLObject::server_hostname() const { return engine().hostname(); }

std::optional<std::string> SSLObject::version() const {
    if (!engine().is_begun()) return {};
    return SSL_get_version(engine().native());
}

std::optional<SSLCipher> SSLObject::cipher() const {
    const SSL_CIPHER* cipher = SSL_get_current_cipher(engine().native());
    if (cipher == nullptr) return {};
    return SSLCipher{SSL_CIPHER_get_name(cipher), SSL_CIPHER_get_version(cipher), SSL_CIPHER_get_bits(cipher, nullptr)};
}

std::optional<std::string> SSLObject::selected_alpn_protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(engine().native(), &name, &size);
    if (name == nullptr) return {};
    return std::string(reinterpret_cast<const char*>(name), size);
}

std::optional<std::string> SSLObject::getpeercert_der() const {
    OwnErrors errors;
    if (!engine().is_begun()) throw ValueError("handshake not done yet");
    X509* certificate = SSL_get0_peer_certificate(engine().native());
    if (certificate == nullptr) return {};
    return der_of(certificate);
}

std::vector<std::string> SSLObject::get_verified_chain() const {
    OwnErrors errors;
    return der_of_all(SSL_get0_verified_chain(engine().native()));
}

std::vector<std::string> SSLObject::get_unverified_chain() const {
    OwnErrors errors;
    std::vector<std::string> all = der_of_all(SSL_get_peer_cert_chain(engine().native()));
    if (engine().is_server()) {  // OpenSSL leaves the client's own out
        if (X509* certificate = SSL_get0_peer_certificate(engine().native()))
            all.insert(all.begin(), der_of(certificate));
    }
    return all;
}

SSLSession SSLObject::session() const {
    if (engine().is_server() || SSL_get0_session(engine().native()) == nullptr) return {};
    auto origin = std::make_shared<const detail::SessionOrigin>(engine().origin());
    return SSLSession(SSL_get1_session(engine().native()), std::move(origin));
}

bool SSLObject::session_reused() const { return SSL_session_reused(engine().native()) != 0; }

std::optional<std::string> SSLObject::get_channel_binding(std::string_view cb_type) const {
    if (cb_type != "tls-unique") throw ValueError(detail::quoted(cb_type) + " channel binding type not implemented");
    const SSL* ssl = engine().native();
    if (!engine().is_begun() || SSL_version(ssl) >= TLS1_3_VERSION) return {};
    // That of who finishes first: the client, but for a resumed session.
    bool is_own = (SSL_session_reused(ssl) != 0) == engine().is_server();
    std::string finished(EVP_MAX_MD_SIZE, '\0');
    auto get = is_own ? &SSL_get_finished : &SSL_get_peer_finished;
    finished.resize(get(ssl, finished.data(), finished.size()));
    return finished;
}

void SSLObject::verify_client_post_handshake() const { engine().verify_client_post_handshake(); }

}  // namespace asyncio
