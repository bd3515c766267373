#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace support {

/// A certificate that a test has made, and its key, both also as PEM.
struct Certified {
    std::shared_ptr<X509> x509;
    std::shared_ptr<EVP_PKEY> key_pair;
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

inline void must(bool good) {
    if (!good) throw std::runtime_error("cannot make a certificate");
}

inline std::string pem_of(BIO* bio) {
    char* data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

/// By this issuer, or by itself.
inline Certified certify(const Wish& wish, const Certified* issuer = nullptr) {
    Certified made;
    EVP_PKEY* key = wish.key_type == "EC" ? EVP_EC_gen("P-256") : EVP_RSA_gen(1024);
    must(key != nullptr);
    made.key_pair.reset(key, EVP_PKEY_free);
    X509* x509 = X509_new();
    made.x509.reset(x509, X509_free);
    static long serial = 1000;
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509), wish.from);
    X509_gmtime_adj(X509_getm_notAfter(x509), wish.until);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0) == 1);
    X509* by = issuer != nullptr ? issuer->x509.get() : x509;
    X509_set_issuer_name(x509, X509_get_subject_name(by));
    X509V3_CTX context;
    X509V3_set_ctx(&context, by, x509, nullptr, nullptr, 0);
    auto add = [&](int nid, const std::string& value) {
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        must(extension != nullptr && X509_add_ext(x509, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    };
    add(NID_subject_key_identifier, "hash");
    add(NID_authority_key_identifier, "keyid:always");
    add(NID_basic_constraints, wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add(NID_key_usage, wish.is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!wish.alt_names.empty() && !wish.is_authority) add(NID_subject_alt_name, wish.alt_names);
    EVP_PKEY* signing = issuer != nullptr ? issuer->key_pair.get() : key;
    must(X509_sign(x509, signing, EVP_get_digestbyname(wish.hash.c_str())) > 0);

    BIO* bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509(bio, x509) == 1);
    made.certificate = pem_of(bio);
    bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER* cipher = wish.password.empty() ? nullptr : EVP_aes_128_cbc();
    auto* secret = reinterpret_cast<const unsigned char*>(wish.password.data());
    must(PEM_write_bio_PrivateKey(bio, key, cipher, secret, static_cast<int>(wish.password.size()), nullptr, nullptr) ==
         1);
    made.key = pem_of(bio);
    return made;
}

/// The authority of all tests, and what it has certified for "localhost" and 127.0.0.1.
inline const Certified& authority() {
    static const Certified made = certify({.name = "asyncio tests", .is_authority = true});
    return made;
}
inline const Certified& localhost() {
    static const Certified made = certify({}, &authority());
    return made;
}

/// The authority's list of what it has revoked: this one, or nothing.
inline std::string revocation_list(const Certified* revoked) {
    std::shared_ptr<X509_CRL> list(X509_CRL_new(), X509_CRL_free);
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority().x509.get()));
    std::shared_ptr<ASN1_TIME> from(X509_gmtime_adj(nullptr, -3600), ASN1_TIME_free);
    std::shared_ptr<ASN1_TIME> until(X509_gmtime_adj(nullptr, 86400), ASN1_TIME_free);
    X509_CRL_set1_lastUpdate(list.get(), from.get());
    X509_CRL_set1_nextUpdate(list.get(), until.get());
    X509V3_CTX context;
    X509V3_set_ctx(&context, authority().x509.get(), nullptr, nullptr, list.get(), 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always");
    must(extension != nullptr && X509_CRL_add_ext(list.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
    std::shared_ptr<ASN1_INTEGER> number(ASN1_INTEGER_new(), ASN1_INTEGER_free);
    ASN1_INTEGER_set(number.get(), 1);
    must(X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, number.get(), 0, 0) == 1);
    if (revoked != nullptr) {
        X509_REVOKED* entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509.get()));
        X509_REVOKED_set_revocationDate(entry, from.get());
        must(X509_CRL_add0_revoked(list.get(), entry) == 1);
    }
    must(X509_CRL_sign(list.get(), authority().key_pair.get(), EVP_sha256()) > 0);
    BIO* bio = BIO_new(BIO_s_mem());
    must(PEM_write_bio_X509_CRL(bio, list.get()) == 1);
    return pem_of(bio);
}

}  // namespace support
