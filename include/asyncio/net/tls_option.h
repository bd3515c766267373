#pragma once

#include <asyncio/detail/far_ref.h>

namespace asyncio {

namespace detail {

class TlsContext;  // an SSLContext's state

void add_handle(TlsContext& context) noexcept;
void drop_handle(TlsContext& context) noexcept;

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

}  // namespace detail

/// Whether a connection is by TLS, and of which context: none, or an `SSLContext` of `<asyncio/tls.h>`, which is kept.
/// Python: the argument `ssl`.
class TlsOption {
public:
    constexpr TlsOption() noexcept = default;
    TlsOption(const detail::TlsContextHandle& context) noexcept : context_(context.tls_context()) {}
    explicit operator bool() const noexcept { return context_ != nullptr; }
    /// For the library.
    detail::TlsContext* context() const noexcept { return context_; }

private:
    detail::TlsContext* context_ = nullptr;
};

}  // namespace asyncio
