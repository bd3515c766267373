#pragma once

#include <asyncio/detail/option_callable.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/tls_option.h>
#include <asyncio/tls/ssl_constants.h>
#include <asyncio/tls/ssl_session.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asyncio {

class MemoryBIO;
class SSLContext;
class SSLObject;

namespace detail {
class SSLContextState;
}

/// The password of a private key: a text, or a callable that is asked for it if the key is encrypted. Refers to the
/// text; and to a callable whose captures have a destructor, which has to be a variable.
class KeyPassword {
public:
    constexpr KeyPassword() noexcept = default;
    constexpr KeyPassword(const char* text) {
        if (text != nullptr) text_ = text;
    }
    constexpr KeyPassword(std::string_view text) noexcept : text_(text) {}
    KeyPassword(const std::string& text) noexcept : text_(text) {}
    template <class F>
    requires std::is_invocable_r_v < std::string, std::decay_t<F>
    & > KeyPassword(F&& ask) : ask_(static_cast<F&&>(ask)) {}
    /// For the library: what gives the password; empty where none was given.
    std::function<std::string()> ask() const {
        if (!text_) return ask_.copy();
        return [text = *text_] { return std::string(text); };
    }

private:
    std::optional<std::string_view> text_;
    detail::OptionCallable<std::string()> ask_;
};

/// The keyword arguments of `load_cert_chain()`. Views, which the call reads.
struct LoadCertChainOptions {
    std::string_view keyfile = {};  ///< empty: in the certificate's
    KeyPassword password = {};
};

/// The keyword arguments of `load_cert_chain_data()`: PEM in memory. Views, which the call reads.
struct CertChainData {
    BytesLike certdata = {};
    BytesLike keydata = {};  ///< empty: in `certdata`
    KeyPassword password = {};
};

/// The keyword arguments of `load_verify_locations()` and `create_default_context()`: whom to trust. Certificates of
/// authorities and revocation lists, in a file of PEM, in a folder that `openssl rehash` has seen, or in memory, PEM or
/// DER. Views, which the call reads.
struct VerifyLocations {
    std::string_view cafile = {};
    std::string_view capath = {};
    BytesLike cadata = {};
};

/// The keyword arguments of `wrap_bio()`.
struct WrapBioOptions {
    bool server_side = false;
    std::optional<std::string_view> server_hostname = {};
    const SSLSession* session = nullptr;  ///< a client's, to be resumed; the call copies it
};

/// What a server calls with the name that a client asks for, or none: it may put another context in the place of this
/// one, by `connection.set_context()`, or refuse by an alert.
using SNICallback = std::function<std::optional<AlertDescription>(
    SSLObject& connection, std::optional<std::string_view> server_name, const SSLContext& context)>;

/// How many certificates a context trusts. Python: the dict that cert_store_stats() gives.
struct CertStoreStats {
    int x509 = 0;     ///< all of them
    int x509_ca = 0;  ///< those that may vouch for others
    int crl = 0;      ///< revocation lists
};

/// What connections by TLS have in common: certificates, whom to trust, versions and ciphers.
///
/// A handle: copies name the same context. It may be used by several loops in several threads, and be changed
/// meanwhile, but for set_ciphers(), set_ciphersuites() and folders of authorities: those only before other threads use
/// it. Changes are for connections that begin later; a key log's are for all.
///
/// A context for clients checks certificate and name; TLS 1.2 and newer; no compression, no renegotiation; ciphers with
/// forward secrecy and 112 bits at least. What has no name in Python is said to be new here.
/// Python: ssl.SSLContext; its attributes are `x()` and `set_x()` here.
class SSLContext : public detail::TlsContextHandle {
public:
    explicit SSLContext(SSLMethod protocol);

    /// Whether it is for clients or for servers. Python: context.protocol.
    SSLMethod protocol() const noexcept;

    /// The certificate that this side shows, with those that lead to its authority, and its private key. Throws
    /// OSError if a file cannot be read; SSLError if it is no PEM, if the key is another's, if the password is wrong or
    /// missing. Nobody is asked on the terminal.
    void load_cert_chain(const std::string& certfile, const LoadCertChainOptions& options = {}) const;
    /// From memory. New here.
    void load_cert_chain_data(const CertChainData& data) const;

    /// Trusts these, too. Throws OSError, SSLError, and TypeError if nothing is given.
    void load_verify_locations(const VerifyLocations& locations) const;
    /// Those of the system, or of SSL_CERT_FILE and SSL_CERT_DIR.
    void load_default_certs(Purpose purpose = Purpose::SERVER_AUTH) const;
    /// The same, for either side.
    void set_default_verify_paths() const { load_default_certs(); }
    /// How many it trusts by now. Python: context.cert_store_stats().
    CertStoreStats cert_store_stats() const;
    /// The trusted authorities, as DER. Python: get_ca_certs(binary_form=True).
    std::vector<std::string> get_ca_certs() const;

    /// Whether the certificate has to be for the name that was wanted.
    bool check_hostname() const noexcept;
    /// True makes CERT_REQUIRED of CERT_NONE. Python: context.check_hostname = check.
    void set_check_hostname(bool check) const;
    /// Whether the other end has to show a certificate.
    VerifyMode verify_mode() const noexcept;
    /// Throws ValueError for CERT_NONE while the name is checked.
    void set_verify_mode(VerifyMode mode) const;
    /// How strictly a chain of certificates is looked at. Python: context.verify_flags.
    VerifyFlags verify_flags() const noexcept;
    /// These and no others. Throws SSLError for what OpenSSL refuses. Python: context.verify_flags = flags.
    void set_verify_flags(VerifyFlags flags) const;

    /// The oldest that is spoken; MINIMUM_SUPPORTED for no limit. Python: context.minimum_version.
    TLSVersion minimum_version() const noexcept;
    /// Throws ValueError for no version, SSLError for one that OpenSSL refuses. Python: context.minimum_version = v.
    void set_minimum_version(TLSVersion version) const;
    /// The newest that is spoken; MAXIMUM_SUPPORTED for no limit. Python: context.maximum_version.
    TLSVersion maximum_version() const noexcept;
    /// Throws ValueError for no version, SSLError for one that OpenSSL refuses. Python: context.maximum_version = v.
    void set_maximum_version(TLSVersion version) const;
    /// What is switched on and off, OpenSSL's `SSL_OP_…`. Python: context.options.
    SSLOptions options() const noexcept;
    /// These and no others. Python: context.options = options.
    void set_options(SSLOptions options) const;
    /// Of 0 to 5; its keys and hashes are strong enough for so much.
    int security_level() const noexcept;
    /// Throws ValueError for another number.
    void set_security_level(int level) const;

    /// Those of TLS 1.2, in OpenSSL's notation. Throws SSLError if none is left.
    void set_ciphers(const std::string& ciphers) const;
    /// Those of TLS 1.3. Throws SSLError for what OpenSSL does not know. Python 3.15.
    void set_ciphersuites(const std::string& ciphersuites) const;
    /// The names of all that are allowed, the best first. Python: `c["name"]` of what context.get_ciphers() gives.
    std::vector<std::string> get_ciphers() const;
    /// For the exchange of keys. Throws ValueError for one that OpenSSL does not know.
    void set_ecdh_curve(const std::string& curve) const;
    /// In order of preference; each of 1 to 255 bytes. Throws SSLError for one of another length, ValueError for more
    /// than 65,535 bytes in all.
    void set_alpn_protocols(const std::vector<std::string>& protocols) const;
    /// An empty one: no more. Throws ValueError for a client's context.
    void set_sni_callback(SNICallback callback) const;

    /// A file to which keys are written, for Wireshark and the like. Who reads it reads the connections.
    std::string keylog_filename() const;
    /// Appends to this file; none for an empty name. Throws OSError. Python: context.keylog_filename = filename.
    void set_keylog_filename(const std::string& filename) const;

    /// How many tickets a server gives to each client, by which it can go on with its session later. None for clients
    /// that only write: a ticket that they have not read when they close makes the kernel drop what they have sent.
    int num_tickets() const noexcept;
    /// Throws ValueError for a negative number, and for a client's context.
    void set_num_tickets(int count) const;
    /// Whether a client lets itself be asked for its certificate after the handshake.
    bool post_handshake_auth() const noexcept;
    /// For connections that begin later. Python: context.post_handshake_auth = enabled.
    void set_post_handshake_auth(bool enabled) const;

    /// TLS without a transport: what comes from the other end is written to `incoming`, what is for it is read from
    /// `outgoing`.
    SSLObject wrap_bio(const MemoryBIO& incoming, const MemoryBIO& outgoing, const WrapBioOptions& options = {}) const;

    friend bool operator==(const SSLContext& a, const SSLContext& b) noexcept {
        return a.tls_context() == b.tls_context();
    }

    /// For the library.
    explicit SSLContext(detail::SSLContextState* state) noexcept;
    detail::SSLContextState& state() const noexcept;
};

/// A context with what is right for most: those whom the system trusts if nobody else is named, and for a server no
/// asking for certificates. VERIFY_X509_PARTIAL_CHAIN and VERIFY_X509_STRICT, and the keys go to the file that
/// SSLKEYLOGFILE names. Python: ssl.create_default_context.
SSLContext create_default_context(Purpose purpose = Purpose::SERVER_AUTH, const VerifyLocations& locations = {});

}  // namespace asyncio
