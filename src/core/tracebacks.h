#pragma once

#include <asyncio/core/task_base.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

/// A line of a traceback: an await that the exception crossed, and behind the last of a task which that was.
struct TracebackLine {
    struct OfTask {
        std::uintptr_t identity;
        std::string name;
    };
    FramePlace place;
    std::shared_ptr<const OfTask> task = nullptr;
};

/// Innermost first.
struct TracebackLines {
    std::vector<TracebackLine> lines;
    std::size_t left_out = 0;  // behind the first `kept`
    static constexpr std::size_t kept = 200;
    static constexpr std::size_t most = 2 * kept;
};

// What C++ lacks, an exception's `__traceback__`: a table beside the exceptions. An entry lives exactly as long as its
// exception, whose destructor takes it away; it is made when the exception first leaves a coroutine, and holds
// `TracebackLines::most` lines at most. Where memory lacks, lines are missing. From any thread.

struct TracebackEntry;

/// That of the exception that is being handled, made if there is none; null where memory lacks, or the exception is of
/// a runtime that we do not know. Lives as long as the exception.
TracebackEntry* traceback_of_handled(const std::exception_ptr& error) noexcept;
/// The exception leaves this coroutine.
void add_traceback_line(TracebackEntry& entry, const FramePlace& place) noexcept;
/// The task has ended with it.
void end_traceback_of_task(const std::exception_ptr& error, const TaskBase& task) noexcept;
/// The future, which is no task, has ended with it.
void end_traceback_of_future(const std::exception_ptr& error, const FutureBase& future) noexcept;
/// The future throws it, to whoever asks: what others added who asked before is no part of that. Python:
/// `raise self._exception.with_traceback(self._exception_tb)`.
void begin_traceback_at(const std::exception_ptr& error, const FutureBase& future) noexcept;
/// What is noted for context_of(), beside the lines; nothing where memory lacks.
struct NotedContext {
    std::exception_ptr error;
    std::uint64_t number = 0;  // how many were noted before, and it
};
NotedContext noted_context(const std::exception_ptr& error) noexcept;
void note_context(const std::exception_ptr& error, std::exception_ptr context) noexcept;
/// For add_note(); nothing is noted where memory lacks.
void note_text(const std::exception_ptr& error, std::string_view text) noexcept;
/// Throws bad_alloc.
std::vector<std::string> noted_texts(const std::exception_ptr& error);
/// The part of an exception group has the lines, the notes and the context of the whole, if there is an exception at
/// that address. Python: what `split()` copies.
void derive_traceback(const void* whole, const std::exception_ptr& part) noexcept;
/// Throws bad_alloc.
TracebackLines traceback_lines(const std::exception_ptr& error);

/// Logs the traceback of an exception that nobody catches. Installed with the first entry.
[[noreturn]] void terminate_with_traceback() noexcept;

}  // namespace asyncio::detail
