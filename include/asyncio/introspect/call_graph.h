#pragma once

#include <asyncio/core/future.h>
#include <asyncio/core/stack.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace asyncio {

/// One coroutine of a task in a call graph. Python: asyncio.FrameCallGraphEntry.
struct FrameCallGraphEntry {
    StackEntry frame;
    bool is_generator = false;  ///< of an AsyncGenerator
};

/// A future or task, with who waits for it. Python: asyncio.FutureCallGraph.
struct FutureCallGraph {
    AnyFuture future;
    std::vector<FrameCallGraphEntry> call_stack;  ///< of a task, the innermost coroutine first
    std::vector<FutureCallGraph> awaited_by;  ///< the tasks that wait for it, themselves or by gather() and its like
    std::string waits_for;                    ///< what the task itself waits for, as repr(task) says it; or empty

    /// Whether `future` is a task.
    bool is_task() const noexcept;
};

/// The keyword arguments of `capture_call_graph()` and its like.
struct CallGraphOptions {
    /// For the task that runs: how many coroutines to leave out at the inner end, and one. Python counts plain
    /// functions, too, which C++ does not know.
    int depth = 1;
    /// Keeps so many coroutines of each stack: positive the outermost, negative the innermost, zero none.
    std::optional<int> limit = {};
    /// Printed for each task: a line that says what it waits for, and who has the lock. Python: does not know.
    bool waits_for = false;
};

/// Who waits for whom, from this future or task up to those for whom nobody waits. Nothing when no task is running.
///
/// Through every task, future, TaskGroup, gather(), shield(), wait(), as_completed() and wait_for(). In the thread of
/// the future's loop. A task that waits for itself, in a circle, is not followed twice on one path, and what is beyond
/// ten thousand entries or a hundred levels is left out. Throws RuntimeError outside of a running loop if no future is
/// given. Python: asyncio.capture_call_graph.
std::optional<FutureCallGraph> capture_call_graph(const AnyFuture& future, CallGraphOptions options = {});
/// That of the task that is running.
std::optional<FutureCallGraph> capture_call_graph(CallGraphOptions options = {});

/// The same as text; empty when no task is running. Python: asyncio.format_call_graph.
std::string format_call_graph(const AnyFuture& future, CallGraphOptions options = {});
std::string format_call_graph(CallGraphOptions options = {});

/// Prints that. Python: asyncio.print_call_graph.
void print_call_graph(const AnyFuture& future, CallGraphOptions options = {}, std::FILE* file = stdout);
void print_call_graph(CallGraphOptions options = {}, std::FILE* file = stdout);

}  // namespace asyncio
