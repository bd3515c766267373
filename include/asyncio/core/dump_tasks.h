#pragma once

/// Prints all tasks of all loops of the process to the standard error output: what `repr(task)` says, with what each
/// waits for, and its coroutines; a `*` marks the one that is running.
///
/// For a debugger, in which all threads stand still: `call asyncio_dump_tasks()`. It is in every program that has a
/// loop. It takes no lock but needs some memory, so not while a thread stands in `malloc()`. A program itself may call
/// it while no other thread has a loop. Python: `python -m asyncio ps PID`.
extern "C" void asyncio_dump_tasks() noexcept;
