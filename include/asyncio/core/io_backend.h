#pragma once

#include <asyncio/core/seconds.h>

#include <optional>
#include <vector>

namespace asyncio {

/// What an I/O backend saw on a file descriptor. An error or a hang-up counts as both.
struct IoEvent {
    int fd = -1;
    bool readable = false;
    bool writable = false;
};

/// How an event loop waits for file descriptors. Give a loop one of your own by `LoopOptions::io_backend`.
class IoBackend {
public:
    virtual ~IoBackend() = default;

    /// Sets what is wanted of `fd`, replacing what was; nothing wanted forgets it. Level-triggered.
    /// Throws OSError, as for a descriptor that cannot be waited for.
    virtual void watch(int fd, bool readable, bool writable) = 0;

    /// Waits until something happens, `wake()` is called or the time is over (no timeout: for ever, zero: only
    /// looks), and appends what happened to `events`. May return early with nothing, as after a signal.
    virtual void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) = 0;

    /// Ends a `wait()` that runs, or the next one. Safe from any thread and inside a signal handler.
    virtual void wake() noexcept = 0;
};

}  // namespace asyncio
