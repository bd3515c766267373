#pragma once

// Static probes (USDT), for bpftrace, perf, SystemTap and gdb: a `nop` each, and a note in the file that says where it
// is and where its arguments are. Those have to be at hand, and that is what a probe costs: docs/probes.md.

#ifdef ASYNCIO_HAS_PROBES
#include <sys/sdt.h>
#define ASYNCIO_PROBE1(name, first) DTRACE_PROBE1(asyncio, name, first)
#define ASYNCIO_PROBE2(name, first, second) DTRACE_PROBE2(asyncio, name, first, second)
#else
#define ASYNCIO_PROBE1(name, first) static_cast<void>(first)
#define ASYNCIO_PROBE2(name, first, second) static_cast<void>(first), static_cast<void>(second)
#endif
