#include <asyncio/tls/ssl_session.h>

#include <openssl/ssl.h>

namespace asyncio {

SSLSession::SSLSession(const SSLSession& other) noexcept : session_(other.session_), origin_(other.origin_) {
    if (session_ != nullptr) SSL_SESSION_up_ref(session_);
}
SSLSession::~SSLSession() { SSL_SESSION_free(session_); }

std::string SSLSession::id() const {
    if (session_ == nullptr) return {};
    unsigned size = 0;
    const unsigned char* bytes = SSL_SESSION_get_id(session_, &size);
    return {reinterpret_cast<const char*>(bytes), size};
}

long SSLSession::time() const noexcept { return session_ != nullptr ? SSL_SESSION_get_time(session_) : 0; }
long SSLSession::timeout() const noexcept { return session_ != nullptr ? SSL_SESSION_get_timeout(session_) : 0; }
bool SSLSession::has_ticket() const noexcept { return session_ != nullptr && SSL_SESSION_has_ticket(session_) != 0; }
unsigned long SSLSession::ticket_lifetime_hint() const noexcept {
    return session_ != nullptr ? SSL_SESSION_get_ticket_lifetime_hint(session_) : 0;
}

}  // namespace asyncio
