#pragma once

// Python's built-in exceptions that the library itself does not throw. Beside <asyncio/asyncio.h>.

#include <asyncio/errors/builtin_errors.h>
