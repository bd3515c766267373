#pragma once

// All of asyncio for C++. A program that needs only a part can include that part's header.

#include <asyncio/core/awaitable.h>
#include <asyncio/core/clock.h>
#include <asyncio/core/context.h>
#include <asyncio/core/coroutine.h>
#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/core/exception_group.h>
#include <asyncio/core/exceptions.h>
#include <asyncio/core/future.h>
#include <asyncio/core/handle.h>
#include <asyncio/core/log.h>
#include <asyncio/core/seconds.h>
#include <asyncio/core/stack.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/runner.h>
#include <asyncio/tasks/sleep.h>
