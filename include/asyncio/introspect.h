#pragma once

// To see inside: who waits for whom and for what, and what can never go on. Beside <asyncio/asyncio.h>.

#include <asyncio/core/deadlock.h>
#include <asyncio/core/dump_tasks.h>
#include <asyncio/core/trace.h>
#include <asyncio/core/traceback.h>
#include <asyncio/introspect/call_graph.h>
#include <asyncio/introspect/metrics.h>
#include <asyncio/introspect/named.h>
#include <asyncio/introspect/watchdog.h>
