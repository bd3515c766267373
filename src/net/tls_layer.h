#pragma once

#include <asyncio/net/tls_option.h>

namespace asyncio::detail {

/// An SSLContext's state, as far as it is known without OpenSSL. Handles of it may be in several threads.
class TlsContext {
public:
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) delete this;
    }

protected:
    TlsContext() noexcept = default;
    virtual ~TlsContext();

private:
    unsigned references_ = 0;
};

}  // namespace asyncio::detail
