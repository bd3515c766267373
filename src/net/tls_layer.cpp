#include "net/tls_layer.h"

namespace asyncio::detail {

TlsContext::~TlsContext() = default;

void add_handle(TlsContext& context) noexcept { context.inc_ref(); }
void drop_handle(TlsContext& context) noexcept { context.dec_ref(); }

}  // namespace asyncio::detail
