#pragma once

#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// What the other end's certificate says, as Python's dict has it; empty if it was not checked.
///
/// Names are lists of lists of pairs, since one part of a name may have several: `subject[0][0].second` is the name of
/// one that was made by `-subj /CN=me`. Hosts are in `subjectAltName`.
/// Python: what SSLSocket.getpeercert() gives.
struct PeerCertificate {
    /// Names and values.
    using Fields = std::vector<std::pair<std::string, std::string>>;
    /// `{{{"commonName", "example.org"}}}`
    std::vector<Fields> subject = {};
    std::vector<Fields> issuer = {};
    int version = 0;                ///< of X.509; 3 nearly always
    std::string serialNumber = {};  ///< hexadecimal
    std::string notBefore = {};     ///< `Nov 29 12:00:00 2026 GMT`
    std::string notAfter = {};
    /// `{{"DNS", "example.org"}, {"IP Address", "127.0.0.1"}}`. A `DirName` is a text, `C = UK, CN = me`, which Python
    /// nests as it does a subject.
    Fields subjectAltName = {};
    std::vector<std::string> OCSP = {};
    std::vector<std::string> caIssuers = {};
    std::vector<std::string> crlDistributionPoints = {};

    explicit operator bool() const noexcept { return version != 0; }
};

/// As Python's dict: `{'subject': ((('commonName', 'me'),),), …}`; what there is none of is left out.
std::string repr(const PeerCertificate& certificate);

/// What a connection is enciphered by. Python: the tuple that SSLSocket.cipher() gives.
struct SSLCipher {
    std::string name = {};
    std::string protocol = {};  ///< the version of TLS that has it
    int secret_bits = 0;        ///< how long its key is
};

}  // namespace asyncio
