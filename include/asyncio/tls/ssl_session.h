#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

struct ssl_session_st;  // OpenSSL's

namespace asyncio {

namespace detail {

/// What has been checked when a session began: it is not checked again when it is resumed.
struct SessionOrigin {
    std::uint64_t context = 0;  // its number; 0: of none
    bool has_checked_certificate = false;
    std::optional<std::string> checked_hostname = {};
};

}  // namespace detail

/// What a client and a server have agreed on, by which a later connection begins faster. Safe on any thread.
///
/// It is for connections of the same SSLContext to the same host only, since nothing is checked again.
/// With TLS 1.3 it comes after the handshake, and each is to be used once. Python: ssl.SSLSession.
class SSLSession {
public:
    /// None: tests false.
    SSLSession() noexcept = default;
    SSLSession(const SSLSession& other) noexcept;
    SSLSession(SSLSession&& other) noexcept
        : session_(std::exchange(other.session_, nullptr)), origin_(std::move(other.origin_)) {}
    SSLSession& operator=(SSLSession other) noexcept {
        std::swap(session_, other.session_);
        std::swap(origin_, other.origin_);
        return *this;
    }
    ~SSLSession();

    explicit operator bool() const noexcept { return session_ != nullptr; }
    friend bool operator==(const SSLSession& a, const SSLSession& b) { return a.id() == b.id(); }
    /// Bytes by which the server knows it. Python: session.id.
    std::string id() const;
    /// When it was made, in seconds since 1970. Python: session.time.
    long time() const noexcept;
    /// For how many seconds it can be used. Python: session.timeout.
    long timeout() const noexcept;
    /// Whether the server has given a ticket.
    bool has_ticket() const noexcept;
    /// For how many seconds the server thinks its ticket good.
    unsigned long ticket_lifetime_hint() const noexcept;

    /// For the library: takes it over.
    SSLSession(ssl_session_st* session, std::shared_ptr<const detail::SessionOrigin> origin) noexcept
        : session_(session), origin_(std::move(origin)) {}
    /// For the library.
    const detail::SessionOrigin& origin() const noexcept { return *origin_; }
    /// For the library.
    ssl_session_st* get() const noexcept { return session_; }

private:
    ssl_session_st* session_ = nullptr;
    std::shared_ptr<const detail::SessionOrigin> origin_;  // null where that is
};

}  // namespace asyncio
