#pragma once

#include <asyncio/loop/io_operation.h>
#include <asyncio/loop/seconds.h>

#include <optional>
#include <string_view>
#include <vector>

namespace asyncio {

/// What a backend tells a loop: that an operation's outcome is there, or what it saw on a watched descriptor, where an
/// error or a hang-up counts as both. New here.
struct IoEvent {
    int fd = -1;
    bool readable = false;
    bool writable = false;
    IoOperation* operation = nullptr;
};

/// How an event loop does its input and output. Give a loop one of your own by `LoopOptions::io_backend`.
///
/// Operations are submitted, and their outcomes collected: whether a backend waits until a call would succeed, as with
/// epoll, or has the kernel do it in the meantime, as with io_uring, is its own affair. Operations that wait for the
/// same direction of one descriptor are served in the order in which they came: the first in line is named, and nobody
/// else, until one that `goes_on` comes before it.
///
/// All but `wake()` is called on the loop's thread only.
class IoBackend {
public:
    virtual ~IoBackend() = default;
    /// What `loop_metrics()` and the like call it: `"epoll"`.
    virtual std::string_view name() const noexcept = 0;

    /// Begins the operation. True: it is over, `result` is set. False: it is in line, and `wait()` will name it when
    /// its outcome is there. Looks at the memory that it points to only in this call and in `collect()`.
    virtual bool submit(IoOperation& operation) noexcept = 0;
    /// Takes the outcome of an operation that `wait()` has named. True: it is over, `result` is set. False: the outcome
    /// is gone; it keeps its place in line and will be named again.
    virtual bool collect(IoOperation& operation) noexcept = 0;
    /// Forgets an operation that is in line, named or not. An outcome that was not collected is the next one's.
    virtual void cancel(IoOperation& operation) noexcept = 0;
    /// The descriptor will be closed, or leave the library, next: operations on it end with EBADF.
    virtual void closing(IoDescriptor descriptor) noexcept = 0;

    /// Sets what is wanted of `fd`, replacing what was; nothing wanted forgets it. Level-triggered: named by every
    /// `wait()` as long as it is so. Throws OSError, as for a descriptor that cannot be waited for.
    virtual void watch(int fd, bool readable, bool writable) = 0;

    /// Waits until something happens, `wake()` is called or the time is over (no timeout: for ever, zero: only
    /// looks), and appends what happened to `events`. May return early with nothing, as after a signal.
    virtual void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) = 0;

    /// Ends a `wait()` that runs, or the next one. Safe from any thread and inside a signal handler.
    virtual void wake() noexcept = 0;
};

/// The backends that the library has.
enum class IoBackendKind : std::uint8_t {
    automatic,  ///< what the environment's ASYNCIO_IO_BACKEND says, `epoll` or `io_uring`; else epoll
    epoll,
    io_uring,  ///< epoll where the kernel has no io_uring that will do, or forbids it
};

/// Which backend a loop uses: one of the library's, or one of yours, which must outlive the loop.
class IoBackendOption {
public:
    constexpr IoBackendOption() noexcept = default;
    constexpr IoBackendOption(IoBackendKind kind) noexcept : kind_(kind) {}
    constexpr IoBackendOption(IoBackend& custom) noexcept : custom_(&custom) {}
    constexpr IoBackendOption(IoBackend* custom) noexcept : custom_(custom) {}

    constexpr IoBackendKind kind() const noexcept { return kind_; }
    /// Yours, or null.
    constexpr IoBackend* custom() const noexcept { return custom_; }

private:
    IoBackend* custom_ = nullptr;
    IoBackendKind kind_ = IoBackendKind::automatic;
};

}  // namespace asyncio
