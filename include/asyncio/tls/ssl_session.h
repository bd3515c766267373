#pragma once

#include <string>
#include <utility>

struct ssl_session_st;  // OpenSSL's

namespace asyncio {

/// What a client and a server have agreed on, by which a later connection begins faster. Safe on any thread.
///
/// With TLS 1.3 it comes after the handshake, and each is to be used once. Python: ssl.SSLSession.
class SSLSession {
public:
    /// None: tests false.
    SSLSession() noexcept = default;
    SSLSession(const SSLSession& other) noexcept;
    SSLSession(SSLSession&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    SSLSession& operator=(SSLSession other) noexcept {
        std::swap(session_, other.session_);
        return *this;
    }
    ~SSLSession();

    explicit operator bool() const noexcept { return session_ != nullptr; }
    friend bool operator==(const SSLSession& a, const SSLSession& b) { return a.id() == b.id(); }
    std::string id() const;
    /// When it was made, in seconds since 1970, and for how many it can be used.
    long time() const noexcept;
    long timeout() const noexcept;
    bool has_ticket() const noexcept;
    unsigned long ticket_lifetime_hint() const noexcept;

    /// For the library: takes it over.
    explicit SSLSession(ssl_session_st* session) noexcept : session_(session) {}
    ssl_session_st* get() const noexcept { return session_; }

private:
    ssl_session_st* session_ = nullptr;
};

}  // namespace asyncio
