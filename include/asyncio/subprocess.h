#pragma once

// Child processes. Not in <asyncio/asyncio.h>: a program that starts none does not pay for it.

#include <asyncio/process/process.h>
#include <asyncio/process/run_process.h>
#include <asyncio/process/subprocess_protocol.h>
