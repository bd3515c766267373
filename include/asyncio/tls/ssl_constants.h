#pragma once

#include <cstdint>

// The constants of Python's module ssl, with its names.

namespace asyncio {

/// Which side of connections an SSLContext is for. Python: ssl.PROTOCOL_TLS_CLIENT and PROTOCOL_TLS_SERVER.
enum SSLMethod : int { PROTOCOL_TLS_CLIENT = 16, PROTOCOL_TLS_SERVER = 17 };

/// What `create_default_context()` is for: to check servers, or to be one and check clients.
enum class Purpose { SERVER_AUTH, CLIENT_AUTH };

/// Whether the other end's certificate is asked for and checked. Python: ssl.VerifyMode.
enum VerifyMode : int { CERT_NONE = 0, CERT_OPTIONAL = 1, CERT_REQUIRED = 2 };

/// The versions of the protocol. Python: ssl.TLSVersion.
enum class TLSVersion : int {
    MINIMUM_SUPPORTED = -2,
    MAXIMUM_SUPPORTED = -1,
    TLSv1 = 0x301,
    TLSv1_1 = 0x302,
    TLSv1_2 = 0x303,
    TLSv1_3 = 0x304,
};

/// How certificates are checked; to be joined by `|`. Python: ssl.VerifyFlags.
enum VerifyFlags : unsigned long {
    VERIFY_DEFAULT = 0,
    VERIFY_CRL_CHECK_LEAF = 0x4,
    VERIFY_CRL_CHECK_CHAIN = 0xc,
    VERIFY_X509_STRICT = 0x20,
    VERIFY_ALLOW_PROXY_CERTS = 0x40,
    VERIFY_X509_TRUSTED_FIRST = 0x8000,
    VERIFY_X509_PARTIAL_CHAIN = 0x80000,
};
constexpr VerifyFlags operator|(VerifyFlags a, VerifyFlags b) noexcept {
    return static_cast<VerifyFlags>(static_cast<unsigned long>(a) | static_cast<unsigned long>(b));
}
constexpr VerifyFlags operator&(VerifyFlags a, VerifyFlags b) noexcept {
    return static_cast<VerifyFlags>(static_cast<unsigned long>(a) & static_cast<unsigned long>(b));
}
/// For `flags & ~FLAG`.
constexpr VerifyFlags operator~(VerifyFlags a) noexcept {
    return static_cast<VerifyFlags>(~static_cast<unsigned long>(a));
}

/// What TLS may do and may not; to be joined by `|`. Python: ssl.Options.
enum SSLOptions : std::uint64_t {
    OP_IGNORE_UNEXPECTED_EOF = 1U << 7,
    OP_NO_TICKET = 1U << 14,
    OP_NO_COMPRESSION = 1U << 17,
    OP_CIPHER_SERVER_PREFERENCE = 1U << 22,
    OP_NO_TLSv1_3 = 1U << 29,
    OP_NO_RENEGOTIATION = 1U << 30,
};
constexpr SSLOptions operator|(SSLOptions a, SSLOptions b) noexcept {
    return static_cast<SSLOptions>(static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b));
}
constexpr SSLOptions operator&(SSLOptions a, SSLOptions b) noexcept {
    return static_cast<SSLOptions>(static_cast<std::uint64_t>(a) & static_cast<std::uint64_t>(b));
}
/// For `flags & ~FLAG`.
constexpr SSLOptions operator~(SSLOptions a) noexcept {
    return static_cast<SSLOptions>(~static_cast<std::uint64_t>(a));
}

/// What a callback for a server's name refuses by. Python: ssl.AlertDescription.
enum AlertDescription : int {
    ALERT_DESCRIPTION_HANDSHAKE_FAILURE = 40,
    ALERT_DESCRIPTION_ACCESS_DENIED = 49,
    ALERT_DESCRIPTION_INTERNAL_ERROR = 80,
    ALERT_DESCRIPTION_UNRECOGNIZED_NAME = 112,
};

}  // namespace asyncio
