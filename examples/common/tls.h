#pragma once

#include <asyncio/asyncio.h>

#ifdef WITH_TLS
#include <asyncio/tls.h>
#endif

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// TLS for programs that are built without OpenSSL, too: there they say so to whoever asks for it.

/// What follows `name` among the arguments of a program, from which both are taken; nothing if it is not there.
inline std::optional<std::string> take_option(int& argc, char** argv, std::string_view name) {
    char** end = argv + argc;
    char** found = std::find_if(argv + 1, end, [&](const char* each) { return each == name; });
    if (end - found < 2) return std::nullopt;
    std::string value = found[1];
    std::move(found + 2, end, found);
    argc -= 2;
    return value;
}

/// Whether a program's connections are by TLS, and how; they are not unless it is told so.
class Tls {
public:
#ifdef WITH_TLS
    /// As a server that shows this certificate. Throws OSError if there is none, or none of this key.
    void show(const std::string& certfile, const std::string& keyfile) {
        context_ = asyncio::create_default_context(asyncio::Purpose::CLIENT_AUTH);
        context_->load_cert_chain(certfile, {.keyfile = keyfile});
    }
    /// As a client that trusts who is vouched for by this file, or, if it is empty, whom the system trusts.
    void trust(const std::string& cafile) {
        context_ = asyncio::create_default_context(asyncio::Purpose::SERVER_AUTH, {.cafile = cafile});
    }
    /// The argument `ssl`. This object has to outlive the call that gets it.
    asyncio::TlsOption option() const { return context_ ? asyncio::TlsOption(*context_) : asyncio::TlsOption(); }

private:
    std::optional<asyncio::SSLContext> context_;
#else
    void show(const std::string&, const std::string&) { refuse(); }
    void trust(const std::string&) { refuse(); }
    asyncio::TlsOption option() const { return {}; }

private:
    [[noreturn]] static void refuse() { throw std::runtime_error("this program was built without TLS"); }
#endif
};
