#include "tls/certificate_names.h"
#include "tls/context_state.h"
#include "tls/openssl_errors.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/errors/repr.h>
#include <asyncio/tls/ssl_errors.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <string>

namespace asyncio {

namespace detail {

namespace {

/// Asks for a password where OpenSSL does. What asking throws has to wait until OpenSSL has returned.
class PasswordAsked {
public:
    PasswordAsked(const KeyPassword& password, const std::string& key_file)
        : ask_(password.ask()), key_file_(key_file) {}
    static int answer(char* room, int size, int, void* asked) noexcept {
        return static_cast<PasswordAsked*>(asked)->answer(room, static_cast<std::size_t>(size));
    }
    /// Why there is none.
    void rethrow() {
        if (failure_) std::rethrow_exception(failure_);
    }

    bool is_answered() const noexcept { return is_answered_; }

private:
    int answer(char* room, std::size_t size) noexcept {
        try {
            if (!ask_) {
                std::string where = key_file_.empty() ? "" : ": " + repr(key_file_);
                throw SSLError("the private key is encrypted, and no password was given" + where);
            }
            std::string text = ask_();
            if (text.size() > size) {
                throw ValueError("password cannot be longer than " + std::to_string(size) + " bytes");
            }
            std::memcpy(room, text.data(), text.size());
            OPENSSL_cleanse(text.data(), text.size());
            is_answered_ = true;
            return static_cast<int>(text.size());
        } catch (...) {
            failure_ = std::current_exception();
            return -1;
        }
    }
    std::function<std::string()> ask_;
    const std::string& key_file_;
    std::exception_ptr failure_;
    bool is_answered_ = false;
};

// Functions: two sources' lambdas would be one template argument for clang's linker, where a library is shared.
void free_certificates(STACK_OF(X509) * all) noexcept { sk_X509_pop_free(all, X509_free); }
void free_infos(STACK_OF(X509_INFO) * all) noexcept { sk_X509_INFO_pop_free(all, X509_INFO_free); }

/// Of a folder OpenSSL would say that there is no start line.
void refuse_folder(const std::string& name) {
    if (name.find('\0') != name.npos) throw ValueError("embedded null byte");
    if (name.empty()) return;
    std::FILE* itself = std::fopen((name + "/.").c_str(), "rb");  // which only a folder has
    if (itself == nullptr) return;
    std::fclose(itself);
    throw_os_error(EISDIR, {}, name);
}

OwnBio open_file(const std::string& name) {
    refuse_folder(name);
    OwnBio file(BIO_new_file(name.c_str(), "rb"));
    if (!file) throw_queued_error(name);
    return file;
}

OwnBio open_bytes(BytesLike bytes) {
    if (bytes.size() > INT_MAX) throw ValueError("certificates of more than 2 GiB");
    // Null would be read as a string without an end.
    const char* data = bytes.data() != nullptr ? bytes.data() : "";
    return OwnBio(checked(BIO_new_mem_buf(data, static_cast<int>(bytes.size()))));
}

/// The end of a PEM file is told as an error.
bool is_end_of_pem() noexcept {
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// Why no key could be read.
std::string hint_of_key(BIO& key, const std::string& key_file, bool is_answered) {
    if (is_answered) return ": the password is wrong, or the key is damaged";
    ErrorsOfCallback errors;
    if (BIO_reset(&key) < 0) return "";
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    while (PEM_read_bio(&key, &name, &header, &data, &size) == 1) {
        bool is_key = std::string_view(name).ends_with("PRIVATE KEY");
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(size));
        if (is_key) return "";
    }
    return key_file.empty() ? ": no private key in the data: give .keydata" : ": no private key in it: give .keyfile";
}

}  // namespace

void SSLContextState::use_chain(BIO& certificates, BIO& key, const KeyPassword& password,
                                const std::string& certificate_file, const std::string& key_file) {
    PasswordAsked asked(password, key_file);
    OwnCertificate own(PEM_read_bio_X509_AUX(&certificates, nullptr, &PasswordAsked::answer, &asked));
    if (!own) {
        asked.rethrow();
        throw_queued_error(certificate_file);
    }
    Freed<STACK_OF(X509), free_certificates> chain(sk_X509_new_null());
    if (!chain) throw std::bad_alloc();
    while (X509* next = PEM_read_bio_X509(&certificates, nullptr, &PasswordAsked::answer, &asked)) {
        OwnCertificate keep(next);
        if (sk_X509_push(chain.get(), next) <= 0) throw std::bad_alloc();
        static_cast<void>(keep.release());
    }
    if (!is_end_of_pem()) throw_queued_error(certificate_file);
    ERR_clear_error();
    Freed<EVP_PKEY, EVP_PKEY_free> private_key(PEM_read_bio_PrivateKey(&key, nullptr, &PasswordAsked::answer, &asked));
    if (!private_key) {
        asked.rethrow();
        throw_queued_error(key_file, hint_of_key(key, key_file, asked.is_answered()).c_str());
    }
    // All of it, or nothing.
    if (X509_check_private_key(own.get(), private_key.get()) != 1) throw_queued_error(key_file);
    checked(guarded([&] { return SSL_CTX_use_cert_and_key(native(), own.get(), private_key.get(), chain.get(), 1); }));
}

void SSLContextState::trust(BytesLike cadata) {
    X509_STORE* store = SSL_CTX_get_cert_store(native());
    OwnBio bytes = open_bytes(cadata);
    int count = 0;
    if (cadata.view().find("-----BEGIN") != std::string_view::npos) {
        Freed<STACK_OF(X509_INFO), free_infos> all(PEM_X509_INFO_read_bio(bytes.get(), nullptr, nullptr, nullptr));
        if (!all) throw_queued_error();
        for (int i = 0; i < sk_X509_INFO_num(all.get()); ++i) {
            const X509_INFO* info = sk_X509_INFO_value(all.get(), i);
            if (info->x509 != nullptr) checked(X509_STORE_add_cert(store, info->x509));
            if (info->crl != nullptr) checked(X509_STORE_add_crl(store, info->crl));
            count += info->x509 != nullptr || info->crl != nullptr;
        }
    } else {
        while (!BIO_eof(bytes.get())) {
            OwnCertificate certificate(d2i_X509_bio(bytes.get(), nullptr));
            if (!certificate) throw_queued_error({}, count == 0 ? ": cadata is neither PEM nor DER" : "");
            checked(X509_STORE_add_cert(store, certificate.get()));
            ++count;
        }
    }
    if (count == 0) throw SSLError("no start line: cadata does not contain a certificate");
}

}  // namespace detail

using detail::OwnErrors;

void SSLContext::load_cert_chain(const std::string& certfile, const LoadCertChainOptions& options) const {
    OwnErrors errors;
    std::string keyfile(options.keyfile.empty() ? certfile : options.keyfile);
    detail::OwnBio certificates = detail::open_file(certfile);
    detail::OwnBio key = detail::open_file(keyfile);
    state().use_chain(*certificates, *key, options.password, certfile, keyfile);
}

void SSLContext::load_cert_chain_data(const CertChainData& data) const {
    OwnErrors errors;
    detail::OwnBio certificates = detail::open_bytes(data.certdata);
    detail::OwnBio key = detail::open_bytes(data.keydata.empty() ? data.certdata : data.keydata);
    state().use_chain(*certificates, *key, data.password, {}, {});
}

void SSLContext::load_verify_locations(const VerifyLocations& locations) const {
    OwnErrors errors;
    std::string cafile(locations.cafile), capath(locations.capath);
    BytesLike cadata = locations.cadata;
    if (cafile.empty() && capath.empty() && cadata.empty()) {
        throw TypeError("cafile, capath and cadata cannot be all omitted");
    }
    if (!cadata.empty()) state().trust(cadata);
    if (!cafile.empty()) detail::refuse_folder(cafile);
    if (!cafile.empty() && SSL_CTX_load_verify_file(state().native(), cafile.c_str()) != 1) {
        detail::throw_queued_error(cafile);
    }
    if (!capath.empty() && SSL_CTX_load_verify_dir(state().native(), capath.c_str()) != 1) {
        detail::throw_queued_error(capath);
    }
}

void SSLContext::load_default_certs(Purpose) const {
    OwnErrors errors;
    detail::checked(SSL_CTX_set_default_verify_paths(state().native()));
}

namespace {

/// Calls it with each object that the context trusts.
template <class F>
void for_each_trusted(SSL_CTX* context, F function) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    X509_STORE_lock(store);
    std::exception_ptr failure;
    STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(store);
    try {
        for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) function(sk_X509_OBJECT_value(all, i));
    } catch (...) {
        failure = std::current_exception();
    }
    X509_STORE_unlock(store);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

CertStoreStats SSLContext::cert_store_stats() const {
    OwnErrors errors;
    CertStoreStats stats;
    for_each_trusted(state().native(), [&](const X509_OBJECT* object) {
        X509* certificate = X509_OBJECT_get0_X509(object);
        if (certificate != nullptr) {
            ++stats.x509;
            stats.x509_ca += X509_check_ca(certificate) != 0;
        } else {
            ++stats.crl;
        }
    });
    return stats;
}

std::vector<std::string> SSLContext::get_ca_certs() const {
    OwnErrors errors;
    std::vector<std::string> all;
    for_each_trusted(state().native(), [&](const X509_OBJECT* object) {
        X509* certificate = X509_OBJECT_get0_X509(object);
        if (certificate == nullptr || X509_check_ca(certificate) == 0) return;
        all.push_back(detail::der_of(certificate));
    });
    return all;
}

}  // namespace asyncio
