#include "tls/certificate_names.h"

#include "tls/context_state.h"
#include "tls/openssl_errors.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/net/socket_address.h>

#include <openssl/x509v3.h>

#include <cstddef>
#include <cstdio>

namespace asyncio::detail {

std::string asn1_text(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string der_of(const X509* certificate) {
    unsigned char* bytes = nullptr;
    int size = i2d_X509(certificate, &bytes);
    if (size < 0) throw_queued_error();
    OpensslBytes keep(bytes);
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::string address_text(const unsigned char* bytes, int size) {
    std::string text;
    char part[8];
    if (size == 4) {
        for (int i = 0; i < size; ++i) {
            std::snprintf(part, sizeof part, i > 0 ? ".%d" : "%d", bytes[i]);
            text += part;
        }
    } else if (size == 16) {
        for (int i = 0; i < size; i += 2) {
            std::snprintf(part, sizeof part, i > 0 ? ":%X" : "%X", bytes[i] << 8 | bytes[i + 1]);
            text += part;
        }
    } else {
        text = "<invalid>";
    }
    return text;
}

std::string certificate_names(const X509& certificate) {
    constexpr std::size_t most = 200;
    auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
    Freed<GENERAL_NAMES, GENERAL_NAMES_free> keep(all);
    std::string text;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
        std::string one;
        if (name->type == GEN_DNS) {
            one = asn1_text(name->d.dNSName);
        } else if (name->type == GEN_IPADD) {
            const ASN1_OCTET_STRING* address = name->d.iPAddress;
            one = address_text(ASN1_STRING_get0_data(address), ASN1_STRING_length(address));
        } else {
            continue;
        }
        if (text.size() + one.size() > most) return text + (text.empty() ? "" : ", ") + "…";
        text += (text.empty() ? "" : ", ") + detail::quoted(one);
    }
    return text;
}

}  // namespace asyncio::detail
