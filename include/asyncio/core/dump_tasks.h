#pragma once

/// Prints all tasks of all loops of the process to the standard error output: what `repr(task)` says, with what each
/// waits for, and its coroutines; a `*` marks the one that is running.
///
/// For a debugger, in which all threads stand still: `call asyncio_dump_tasks()`. It is in every program that has a
/// loop. It takes no lock but needs some memory, so not while a thread stands in `malloc()`. A program itself may call
/// it while no other thread has a loop. Python: `python -m asyncio ps PID`.
extern "C" void asyncio_dump_tasks() noexcept;

namespace asyncio {

/// From now on, to the end of the process, this signal prints the tasks of all loops to the standard error output, as
/// `asyncio_dump_tasks()` does, and the program goes on: `dump_tasks_on(SIGQUIT)` for Ctrl-\ and `kill -QUIT`.
///
/// Each loop that turns writes its own tasks, between two steps. Of a loop that does not, since a step or a callback
/// blocks it for longer than a second, it prints which task that is, and the coroutines that it runs: by the signal,
/// in that thread. That needs no memory and no lock, so it works whatever the thread is about.
///
/// It starts a thread, which sleeps. While there is one, the loop cannot prove that nobody will wake it: it tells of
/// deadlocks as in a program with threads. In a forked child the signal prints only where the thread that it comes to
/// stands, unless the child calls this again. Throws ValueError for what is no signal, RuntimeError for one that cannot
/// be caught, OSError where there is no thread to be had. Python: faulthandler.register(signum), for tasks.
void dump_tasks_on(int signum);

}  // namespace asyncio
