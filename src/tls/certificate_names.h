#pragma once

#include <openssl/x509.h>

#include <string>

namespace asyncio::detail {

/// Those that it is for, "'example.org', '127.0.0.1'", and not more than a line of them.
std::string certificate_names(const X509& certificate);
/// An address of 4 or 16 bytes, as it is written.
std::string address_text(const unsigned char* bytes, int size);
std::string asn1_text(const ASN1_STRING* text);
std::string der_of(const X509* certificate);

}  // namespace asyncio::detail
