#pragma once

#include <asyncio/loop/io_backend.h>

namespace faults {

/// The usual I/O backend, each call of which asks whether it is to fail. There is one at a time.
asyncio::IoBackend& failing_backend();
/// The run is over: the backend goes.
void failing_backend_is_over() noexcept;

}  // namespace faults
