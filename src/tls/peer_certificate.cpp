#include <asyncio/tls/peer_certificate.h>

#include "tls/certificate_names.h"
#include "tls/openssl_errors.h"
#include "tls/tls_engine.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <openssl/x509v3.h>

#include <string>
#include <utility>

namespace asyncio {

namespace {

using detail::asn1_text;
using detail::Freed;
using detail::OwnBio;

std::string utf8_text(const ASN1_STRING* text) {
    unsigned char* bytes = nullptr;
    int size = ASN1_STRING_to_UTF8(&bytes, text);
    if (size < 0) return asn1_text(text);
    detail::OpensslBytes keep(bytes);
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::string object_text(const ASN1_OBJECT* object) {
    int nid = OBJ_obj2nid(object);
    if (nid != NID_undef) return OBJ_nid2ln(nid);
    char text[80];
    OBJ_obj2txt(text, sizeof text, object, 1);
    return text;
}

std::string printed(OwnBio& bio) {
    char* bytes = nullptr;
    long size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}
OwnBio paper() { return OwnBio(detail::checked(BIO_new(BIO_s_mem()))); }

// CPython: _ssl.c, _create_tuple_for_X509_NAME
std::vector<PeerCertificate::Fields> name_of(const X509_NAME* name) {
    std::vector<PeerCertificate::Fields> all;
    int set = -1;
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        if (X509_NAME_ENTRY_set(entry) != set) all.emplace_back();
        set = X509_NAME_ENTRY_set(entry);
        all.back().emplace_back(object_text(X509_NAME_ENTRY_get_object(entry)),
                                utf8_text(X509_NAME_ENTRY_get_data(entry)));
    }
    return all;
}

std::string time_of(const ASN1_TIME* time) {
    OwnBio bio = paper();
    ASN1_TIME_print(bio.get(), time);
    return printed(bio);
}

std::string serial_of(const X509* certificate) {
    OwnBio bio = paper();
    i2a_ASN1_INTEGER(bio.get(), X509_get0_serialNumber(certificate));
    return printed(bio);
}

// CPython: _ssl.c, _get_peer_alt_names
PeerCertificate::Fields alt_names_of(const X509* certificate) {
    PeerCertificate::Fields all;
    Freed<GENERAL_NAMES, GENERAL_NAMES_free> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        switch (name->type) {
            case GEN_EMAIL:
                all.emplace_back("email", asn1_text(name->d.rfc822Name));
                break;
            case GEN_DNS:
                all.emplace_back("DNS", asn1_text(name->d.dNSName));
                break;
            case GEN_URI:
                all.emplace_back("URI", asn1_text(name->d.uniformResourceIdentifier));
                break;
            case GEN_RID:
                all.emplace_back("Registered ID", object_text(name->d.registeredID));
                break;
            case GEN_IPADD:
                all.emplace_back("IP Address", detail::address_text(ASN1_STRING_get0_data(name->d.iPAddress),
                                                                    ASN1_STRING_length(name->d.iPAddress)));
                break;
            default: {
                OwnBio bio = paper();
                GENERAL_NAME_print(bio.get(), name);
                std::string text = printed(bio);
                std::size_t colon = std::min(text.find(':'), text.size());
                all.emplace_back(text.substr(0, colon), text.substr(std::min(colon + 1, text.size())));
            }
        }
    }
    return all;
}

std::vector<std::string> authority_info(X509* certificate, int method) {
    std::vector<std::string> all;
    Freed<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free> infos(
        static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr)));
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(infos.get()); ++i) {
        const ACCESS_DESCRIPTION* info = sk_ACCESS_DESCRIPTION_value(infos.get(), i);
        if (OBJ_obj2nid(info->method) != method || info->location->type != GEN_URI) continue;
        all.push_back(asn1_text(info->location->d.uniformResourceIdentifier));
    }
    return all;
}

std::vector<std::string> revocation_lists(X509* certificate) {
    std::vector<std::string> all;
    Freed<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(
        static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr)));
    for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
        const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
        if (point->distpoint == nullptr || point->distpoint->type != 0) continue;
        GENERAL_NAMES* names = point->distpoint->name.fullname;
        for (int j = 0; j < sk_GENERAL_NAME_num(names); ++j) {
            const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, j);
            if (name->type == GEN_URI) all.push_back(asn1_text(name->d.uniformResourceIdentifier));
        }
    }
    return all;
}

std::string tuple_text(const std::string& text) { return repr(text); }
std::string tuple_text(const std::pair<std::string, std::string>& field) { return repr(field); }
/// As a tuple.
template <class T>
std::string tuple_text(const std::vector<T>& all) {
    std::string text = "(";
    for (const T& one : all) text += tuple_text(one) + (&one == &all.back() ? "" : ", ");
    return text + (all.size() == 1 ? ",)" : ")");
}

}  // namespace

std::string repr(const PeerCertificate& certificate) {
    std::string text;
    auto add = [&](const char* name, const std::string& value) {
        text.append(text.empty() ? "{'" : ", '").append(name).append("': ").append(value);
    };
    auto add_if_any = [&](const char* name, const auto& all) {
        if (!all.empty()) add(name, tuple_text(all));
    };
    if (!certificate) return "{}";
    add("subject", tuple_text(certificate.subject));
    add("issuer", tuple_text(certificate.issuer));
    add("version", repr(certificate.version));
    add("serialNumber", repr(certificate.serialNumber));
    add("notBefore", repr(certificate.notBefore));
    add("notAfter", repr(certificate.notAfter));
    add_if_any("subjectAltName", certificate.subjectAltName);
    add_if_any("OCSP", certificate.OCSP);
    add_if_any("caIssuers", certificate.caIssuers);
    add_if_any("crlDistributionPoints", certificate.crlDistributionPoints);
    return text + "}";
}

std::optional<PeerCertificate> SSLObject::getpeercert() const {
    detail::OwnErrors errors;
    if (!engine().is_begun()) throw ValueError("handshake not done yet");
    X509* certificate = SSL_get0_peer_certificate(engine().native());
    if (certificate == nullptr) return {};
    if ((SSL_get_verify_mode(engine().native()) & SSL_VERIFY_PEER) == 0) return PeerCertificate{};
    PeerCertificate its;
    its.subject = name_of(X509_get_subject_name(certificate));
    its.issuer = name_of(X509_get_issuer_name(certificate));
    its.version = static_cast<int>(X509_get_version(certificate)) + 1;
    its.serialNumber = serial_of(certificate);
    its.notBefore = time_of(X509_get0_notBefore(certificate));
    its.notAfter = time_of(X509_get0_notAfter(certificate));
    its.subjectAltName = alt_names_of(certificate);
    its.OCSP = authority_info(certificate, NID_ad_OCSP);
    its.caIssuers = authority_info(certificate, NID_ad_ca_issuers);
    its.crlDistributionPoints = revocation_lists(certificate);
    return its;
}

}  // namespace asyncio
