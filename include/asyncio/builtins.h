#pragma once

// Python's built-in exceptions that the library itself does not throw, alone. <asyncio/asyncio.h> has them as well.

#include <asyncio/errors/builtin_errors.h>
