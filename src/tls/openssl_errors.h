#pragma once

#include <asyncio/detail/count.h>

#include <openssl/ssl.h>

#include <exception>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// While OpenSSL is called: the thread's queue of errors holds those of this call, and nobody else's before or after.
class OwnErrors {
public:
    OwnErrors() noexcept;
    ~OwnErrors();
    OwnErrors(const OwnErrors&) = delete;
    OwnErrors& operator=(const OwnErrors&) = delete;
};

/// While OpenSSL calls us: what we and others leave in the queue is not taken for an error of its own.
class ErrorsOfCallback {
public:
    ErrorsOfCallback() noexcept;
    ~ErrorsOfCallback();
    ErrorsOfCallback(const ErrorsOfCallback&) = delete;
    ErrorsOfCallback& operator=(const ErrorsOfCallback&) = delete;
};

/// The newest error in the queue as an SSLError, a std::bad_alloc, or what the operating system said of this file.
std::exception_ptr queued_error(std::string_view file = {}, const char* hint = "");
[[noreturn]] void throw_queued_error(std::string_view file = {}, const char* hint = "");
/// For what returns null or zero where it fails.
template <class Result>
Result checked(Result result) {
    if (!(result > Result())) throw_queued_error();
    return result;
}

/// What a call for a connection to this host has failed by, where it gave `result`. `names` are those of a certificate
/// that was refused.
std::exception_ptr connection_error(const SSL* ssl, int result, const std::string& host, const std::string& names);

}  // namespace asyncio::detail
