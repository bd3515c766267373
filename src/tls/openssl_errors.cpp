#include "tls/openssl_errors.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/tls/ssl_errors.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <new>

namespace asyncio::detail {

namespace {

/// To clear what is empty costs as much as a small record.
void clear_errors() noexcept {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

OwnErrors::OwnErrors() noexcept { clear_errors(); }
OwnErrors::~OwnErrors() { clear_errors(); }
ErrorsOfCallback::ErrorsOfCallback() noexcept { ERR_set_mark(); }
ErrorsOfCallback::~ErrorsOfCallback() { ERR_pop_to_mark(); }

namespace {

const char* library_name(unsigned long code) noexcept {
    switch (ERR_GET_LIB(code)) {
        case ERR_LIB_SSL:
            return "SSL";
        case ERR_LIB_X509:
            return "X509";
        case ERR_LIB_X509V3:
            return "X509V3";
        case ERR_LIB_PEM:
            return "PEM";
        case ERR_LIB_ASN1:
            return "ASN1";
        case ERR_LIB_EVP:
            return "EVP";
        case ERR_LIB_RSA:
            return "RSA";
        case ERR_LIB_EC:
            return "EC";
        case ERR_LIB_DH:
            return "DH";
        case ERR_LIB_BIO:
            return "BIO";
        case ERR_LIB_CRYPTO:
            return "CRYPTO";
        case ERR_LIB_PKCS12:
            return "PKCS12";
        case ERR_LIB_PROV:
            return "PROV";
        case ERR_LIB_CONF:
            return "CONF";
        case ERR_LIB_OSSL_DECODER:
            return "OSSL_DECODER";
        case ERR_LIB_OSSL_STORE:
            return "OSSL_STORE";
        default:
            return "";
    }
}

/// OpenSSL's constant, which is its text in most cases: "wrong version number" is SSL_R_WRONG_VERSION_NUMBER.
std::string reason_name(std::string_view text) {
    std::string name(text);
    for (char& letter : name) {
        bool is_small = letter >= 'a' && letter <= 'z';
        bool is_word = is_small || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
        letter = is_small ? static_cast<char>(letter - 'a' + 'A') : is_word ? letter : '_';
    }
    return name;
}

/// "[SSL: WRONG_VERSION_NUMBER] wrong version number"
std::string describe(unsigned long code, SSLErrorDetails& details) {
    const char* text = ERR_reason_error_string(code);
    if (text == nullptr) return "unknown error " + std::to_string(code);
    details.library = library_name(code);
    details.reason = reason_name(text);
    return "[" + (details.library.empty() ? "" : details.library + ": ") + details.reason + "] " + text;
}

/// CPython: _ssl.c, fill_and_set_sslerror
std::exception_ptr verification_error(const SSL* ssl, unsigned long code, SSLErrorDetails details,
                                      const std::string& names) {
    std::string text = describe(code, details);
    details.verify_code = SSL_get_verify_result(ssl);
    bool is_name = details.verify_code == X509_V_ERR_HOSTNAME_MISMATCH;
    bool is_for_another = is_name || details.verify_code == X509_V_ERR_IP_ADDRESS_MISMATCH;
    if (is_for_another) {
        details.verify_message =
            (is_name ? "Hostname" : "IP address") + (" mismatch, certificate is not valid for '" + details.host + "'");
        details.verify_message += names.empty() ? ": its subjectAltName has no host, and a commonName does not count."
                                                : ": it is for " + names + ".";
    } else {
        details.verify_message = X509_verify_cert_error_string(details.verify_code);
    }
    text += ": " + details.verify_message;
    if (!is_for_another && !details.host.empty()) text += " (certificate of '" + details.host + "')";
    return std::make_exception_ptr(SSLCertVerificationError(text, std::move(details)));
}

}  // namespace

std::exception_ptr queued_error(std::string_view file, const char* hint) {
    // What lies deepest is the cause where a file cannot be opened, and what was said last where it cannot be read.
    unsigned long first = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(first)) return make_os_error(ERR_GET_REASON(first), {}, file);
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return std::make_exception_ptr(std::bad_alloc());
    SSLErrorDetails details;
    std::string text = code == 0 ? "OpenSSL has failed without a reason" : describe(code, details);
    text += hint;
    if (!file.empty()) text += ": '" + std::string(file) + "'";
    return std::make_exception_ptr(SSLError(text, std::move(details)));
}

void throw_queued_error(std::string_view file, const char* hint) { std::rethrow_exception(queued_error(file, hint)); }

// CPython: _ssl.c, PySSL_SetError
std::exception_ptr connection_error(const SSL* ssl, int result, const std::string& host, const std::string& names) {
    SSLErrorDetails details;
    details.host = host;
    unsigned long code = ERR_peek_last_error();
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_ZERO_RETURN:
            return std::make_exception_ptr(SSLZeroReturnError("TLS/SSL connection has been closed (EOF)", details));
        case SSL_ERROR_WANT_READ:
            return std::make_exception_ptr(SSLWantReadError("The operation did not complete (read)", details));
        case SSL_ERROR_WANT_WRITE:
            return std::make_exception_ptr(SSLWantWriteError("The operation did not complete (write)", details));
        case SSL_ERROR_SYSCALL:
            if (code == 0) {
                return std::make_exception_ptr(SSLEOFError("EOF occurred in violation of protocol", details));
            }
            break;
        default:
            break;
    }
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
            return verification_error(ssl, code, std::move(details), names);
        }
        if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            static_cast<void>(describe(code, details));  // the library and the reason are in the details then
            return std::make_exception_ptr(SSLEOFError("EOF occurred in violation of protocol", std::move(details)));
        }
    }
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return std::make_exception_ptr(std::bad_alloc());
    std::string text = code == 0 ? "A failure in the SSL library occurred" : describe(code, details);
    return std::make_exception_ptr(SSLError(text, std::move(details)));
}

}  // namespace asyncio::detail
