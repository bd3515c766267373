#pragma once

// The version of the headers, for #if: ASYNCIO_VERSION is 10,000 for each major version, 100 for each minor one, and
// the patch. What may change from one to the next: docs/versioning.md.
#define ASYNCIO_VERSION_MAJOR 0
#define ASYNCIO_VERSION_MINOR 2
#define ASYNCIO_VERSION_PATCH 0
#define ASYNCIO_VERSION (ASYNCIO_VERSION_MAJOR * 10000 + ASYNCIO_VERSION_MINOR * 100 + ASYNCIO_VERSION_PATCH)

namespace asyncio {

/// The version of the library that the program is linked with, as "0.2.0". New here.
const char* version() noexcept;

}  // namespace asyncio
