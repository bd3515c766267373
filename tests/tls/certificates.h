#pragma once

#include <string>

namespace support {

/// A certificate that a test has made by the `openssl` command, and its key, both as PEM.
struct Certified {
    std::string certificate;
    std::string key;
};

struct Wish {
    std::string name = "localhost";
    std::string alt_names = "DNS:localhost,IP:127.0.0.1";  ///< none: none
    long from = -3600;                                     ///< in seconds from now
    long until = 86400;
    bool is_authority = false;
    std::string key_type = "EC";  ///< or RSA-1024
    std::string hash = "SHA256";
    std::string password = {};  ///< of the key
};

/// By this issuer, whose key has no password, or by itself.
Certified certify(const Wish& wish, const Certified* issuer = nullptr);

/// The authority of all tests, and what it has certified for "localhost" and 127.0.0.1.
const Certified& authority();
const Certified& localhost();

/// The authority's list of what it has revoked: this one, or nothing.
std::string revocation_list(const Certified* revoked);

/// The name of the file in which OpenSSL looks for an authority in a folder.
std::string name_in_folder(const Certified& authority);

}  // namespace support
