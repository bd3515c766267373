#pragma once

// Blocks whose end has to be awaited, after Python's contextlib. Beside <asyncio/asyncio.h>.

#include <asyncio/core/context_of.h>
#include <asyncio/tasks/async_context_managers.h>
#include <asyncio/tasks/async_exit_stack.h>
#include <asyncio/tasks/try_finally.h>
