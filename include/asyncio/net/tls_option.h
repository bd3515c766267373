#pragma once

#include <asyncio/detail/far_ref.h>
#include <asyncio/loop/seconds.h>

#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>

namespace asyncio {

class SSLSession;

namespace detail {

class TlsContext;  // an SSLContext's state

void add_handle(TlsContext& context) noexcept;
void drop_handle(TlsContext& context) noexcept;

namespace bases {

/// What an SSLContext is to whoever does not know how TLS is done: the base of the handle.
class TlsContextHandle {
public:
    /// For the library.
    TlsContext* tls_context() const noexcept { return context_.get(); }

protected:
    TlsContextHandle() noexcept = default;
    explicit TlsContextHandle(TlsContext* context) noexcept : context_(context) {}

private:
    FarRef<TlsContext> context_;
};

}  // namespace bases
using bases::TlsContextHandle;

}  // namespace detail

/// Whether a connection is by TLS, and of which context: none, or an `SSLContext` of `<asyncio/tls.h>`, a variable that
/// has to live until the call, which keeps it. Python: the argument `ssl`.
class TlsOption {
public:
    constexpr TlsOption() noexcept = default;
    TlsOption(const detail::TlsContextHandle& context) noexcept : context_(context.tls_context()) {}
    template <std::derived_from<detail::TlsContextHandle> Temporary>
    TlsOption(Temporary&&) {
        static_assert(!sizeof(Temporary),
                      "an SSLContext that is a temporary is gone before the call: name it first, as in "
                      "`SSLContext context = create_default_context();` and `.ssl = context`");
    }
    explicit operator bool() const noexcept { return context_ != nullptr; }
    /// For the library.
    detail::TlsContext* context() const noexcept { return context_; }

private:
    detail::TlsContext* context_ = nullptr;
};

/// What `start_tls()` does with bytes that the stream has received before, and that nobody has read: `feed` them to
/// TLS, as the beginning of the handshake, or `refuse` them with an SSLError. They are never read as if they had come
/// by TLS, which is how somebody on the way could put words into a mail server's mouth.
enum class BufferedBytes : bool { feed, refuse };

/// The keyword arguments of `start_tls()`.
struct StartTlsOptions {
    /// None: for a stream whether it is a server's, else no.
    std::optional<bool> server_side = {};
    std::optional<std::string_view> server_hostname = {};  ///< whom the certificate has to be for
    std::optional<Seconds> ssl_handshake_timeout = {};     ///< none: 60 s
    std::optional<Seconds> ssl_shutdown_timeout = {};      ///< none: 30 s
    BufferedBytes buffered = BufferedBytes::feed;
    const SSLSession* session = nullptr;  ///< a client's, of an earlier connection; the call copies it
};

}  // namespace asyncio
