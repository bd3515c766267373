#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/sync/lock.h>

// What a module has that the test loads and unloads: coroutines alone, since what a task keeps stays behind it.
extern "C" {
using ModuleWork = void(asyncio::Coro<>* to);
using ModuleTake = void(asyncio::Coro<>* to, asyncio::Lock* lock);
}
