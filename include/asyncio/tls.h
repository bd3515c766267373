#pragma once

// TLS for asyncio: link `asyncio::tls`. All else is in <asyncio/asyncio.h>.

#include <asyncio/net/start_tls.h>
#include <asyncio/tls/memory_bio.h>
#include <asyncio/tls/peer_certificate.h>
#include <asyncio/tls/ssl_constants.h>
#include <asyncio/tls/ssl_context.h>
#include <asyncio/tls/ssl_errors.h>
#include <asyncio/tls/ssl_object.h>
#include <asyncio/tls/ssl_session.h>
