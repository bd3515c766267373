#pragma once

#include <asyncio/core/event_loop.h>

#include <cstddef>
#include <memory>
#include <string>

namespace asyncio {

namespace detail {
/// For the loop's constructor.
void trace_by_environment(LoopCore& loop) noexcept;
}  // namespace detail

/// The keyword arguments of a TraceRecorder.
struct TraceOptions {
    std::size_t capacity = 100'000;  ///< of steps, some 60 bytes each: the newest are kept
};

/// Writes down each step that a loop runs, as long as it lives: whose it was, when it began and how long it took. Its
/// destructor writes the file, in the JSON form of Chrome's tracing: Perfetto (ui.perfetto.dev), chrome://tracing and
/// tools/timeline.html show it. A failure to do so is logged.
///
/// Made, written and destroyed in the loop's thread; several may look on at once. When the loop is closed first it
/// keeps what it has seen. With `ASYNCIO_TRACE=file.json` in the environment, as it is when the first loop is made,
/// each loop of the process has one, which is written when the loop is closed, all into that file. A forked child
/// writes that file anew: give it another. No name in Python.
class TraceRecorder {
public:
    /// Of the running loop; RuntimeError when none runs. ValueError for a capacity of none.
    explicit TraceRecorder(std::string path, TraceOptions options = {});
    TraceRecorder(EventLoop& loop, std::string path, TraceOptions options = {});
    ~TraceRecorder();
    TraceRecorder(const TraceRecorder&) = delete;
    TraceRecorder& operator=(const TraceRecorder&) = delete;

    /// How many steps it has now.
    std::size_t size() const noexcept;
    /// How many it had, and dropped for newer ones.
    std::size_t dropped() const noexcept;
    /// Writes what it has seen until now; OSError with the file's name. The destructor writes all again.
    void write() const;

private:
    friend void detail::trace_by_environment(detail::LoopCore& loop) noexcept;
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace asyncio
