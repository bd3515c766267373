#pragma once

// Python's other built-in exceptions, alone. <asyncio/asyncio.h> has them as well.

#include <asyncio/errors/builtin_errors.h>
