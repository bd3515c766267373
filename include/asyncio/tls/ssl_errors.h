#pragma once

#include <asyncio/errors/exceptions.h>

#include <memory>
#include <string>
#include <string_view>

namespace asyncio {

namespace detail {

/// What an SSLError knows, and its copies share.
struct SSLErrorDetails {
    std::string library = {};
    std::string reason = {};
    long verify_code = 0;
    std::string verify_message = {};
    std::string host = {};
};

}  // namespace detail

/// TLS has failed, or could not be set up. `what()` is `[SSL: WRONG_VERSION_NUMBER] wrong version number`, and of a
/// transport's connection it says with whom: `… (handshake with example.org, 192.0.2.1:443)`.
///
/// Python: ssl.SSLError, an OSError there, too.
class SSLError : public OSError {
public:
    explicit SSLError(std::string_view message) : SSLError(message, detail::SSLErrorDetails()) {}
    SSLError(std::string_view message, detail::SSLErrorDetails details)
        : OSError(message), details_(std::make_shared<const detail::SSLErrorDetails>(std::move(details))) {}

    /// The part of OpenSSL that tells, `SSL`, `X509`, `PEM`; empty if it is none of them.
    const std::string& library() const noexcept { return details_->library; }
    /// What is wrong, `CERTIFICATE_VERIFY_FAILED`; empty if OpenSSL has not said.
    const std::string& reason() const noexcept { return details_->reason; }
    /// The server whose connection it is; empty if that has no name. New here.
    const std::string& host() const noexcept { return details_->host; }

protected:
    const detail::SSLErrorDetails& details() const noexcept { return *details_; }

private:
    std::shared_ptr<const detail::SSLErrorDetails> details_;
};

/// The other end's certificate is not good: nobody who is trusted vouches for it, it is for another name, it is over.
///
/// Python: ssl.SSLCertVerificationError. Its text names the host that was wanted and, if that is what is wrong, those
/// that the certificate is for.
class SSLCertVerificationError : public SSLError {
public:
    using SSLError::SSLError;
    /// OpenSSL's number, X509_V_ERR_…
    long verify_code() const noexcept { return details().verify_code; }
    /// `certificate has expired`, for example.
    const std::string& verify_message() const noexcept { return details().verify_message; }
};
/// Its older name. Python: ssl.CertificateError.
using CertificateError = SSLCertVerificationError;

/// The connection was cut without a close_notify: what came may be only a part. Python: ssl.SSLEOFError.
class SSLEOFError : public SSLError {
public:
    using SSLError::SSLError;
};

/// The other end has ended TLS in good order. Python: ssl.SSLZeroReturnError.
class SSLZeroReturnError : public SSLError {
public:
    using SSLError::SSLError;
};

/// More has to come before this can go on. Python: ssl.SSLWantReadError.
class SSLWantReadError : public SSLError {
public:
    using SSLError::SSLError;
};

/// Something has to be sent before this can go on. Python: ssl.SSLWantWriteError.
class SSLWantWriteError : public SSLError {
public:
    using SSLError::SSLError;
};

}  // namespace asyncio
