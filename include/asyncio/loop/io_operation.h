#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/scheduling.h>

#include <cstddef>
#include <cstdint>

namespace asyncio {

class IoBackend;

namespace detail {
struct IoLine;  // the tag of the line of operations that wait for the same descriptor
}

/// A file descriptor, and which of all that have had its number it is: numbers are given out again. New here.
struct IoDescriptor {
    int fd = -1;
    std::uint32_t serial = 0;  ///< no other descriptor of this process has it
};

namespace detail {
/// A serial number that no other descriptor of this process has had. From any thread.
std::uint32_t next_descriptor_serial() noexcept;
}  // namespace detail

/// A piece of memory: the operating system's `iovec`. New here.
struct IoBuffer {
    void* data = nullptr;
    std::size_t size = 0;
};

/// What an operation does, named after the system call; `result` is what that would return.
enum class IoCall : std::uint8_t {
    readable,      ///< nothing: there is something to read, an end or an error
    receive,       ///< recv() into `data`
    receive_from,  ///< the same, with the sender's address
    receive_many,  ///< recvmmsg() into the `size` messages at `data`
    accept,        ///< accept(): `result` is the new descriptor, non-blocking and closed on exec
    writable,      ///< nothing: there is room to write, or an error
    send,          ///< send() of `data`; if it `gathers`, of the `size` IoBuffers at `data`
    send_to,       ///< the same to an address
    send_many,     ///< sendmmsg() of the `size` messages at `data`
    send_file,     ///< sendfile() from `file`, beginning at `offset`, of up to `size` bytes
    connect,       ///< connect() to the address, until it is connected
};
/// Whether it waits until the descriptor can be written; otherwise, read. New here.
constexpr bool is_for_writing(IoCall call) noexcept { return call >= IoCall::writable; }

/// One input or output that a descriptor may have to wait for: a node in the frame or the stream that waits.
///
/// `start()` begins it. Either it is over at once, or the backend keeps it in line until its outcome is there; then the
/// loop runs it as a node of its ready queue, in the pass in which it was told. Who owns it calls `finish()` there, or
/// later, which takes the outcome: false if there is none after all, because another has taken it, and then it waits
/// on. `stop()` gives it up at any time; it is over when that returns.
///
/// An outcome that was not taken stays with the descriptor for who comes next, so that cancelling loses nothing. And
/// the memory that the members point to is touched only inside `start()` and `finish()`: nobody's buffer is in the
/// hands of the kernel, so none can be handed back too early.
class IoOperation : public detail::ReadyNode, public detail::ListHook<detail::IoLine> {
public:
    using Line = detail::IntrusiveList<IoOperation, detail::IoLine>;

    explicit IoOperation(IoCall what, Run on_report = nullptr) noexcept : ReadyNode(on_report), call(what) {}
    ~IoOperation() { stop(); }

    /// True: it is over, and `result` says how. False: it waits.
    bool start(IoBackend& backend);
    /// Takes the outcome, when it was named. True: it is over, and `result` says how. False: it waits on.
    bool finish();
    /// Gives it up; nothing if it does not wait.
    void stop() noexcept;
    /// Whether it is in line.
    bool is_waiting() const noexcept { return backend_ != nullptr; }
    /// The backend dies, and the operation with it.
    void orphan() noexcept;

    IoCall call;
    bool at_once = true;       ///< start() tries it, unless others wait already; else it waits to be told
    bool repeats = false;      ///< one of a series: the backend may fetch more than this one outcome ahead
    bool tells_empty = false;  ///< a receive on a byte stream: if it did not fill `data`, then it took all there was
    bool is_tcp = false;       ///< ... and nothing but bytes can come
    bool tells_size = false;   ///< receive_from: `result` is the datagram's size, also where that is more than `size`
    bool gathers = false;      ///< send: from several buffers
    bool goes_on = false;      ///< the next step of something whose turn it is: it comes before all that wait

    // What the backend notes.
    bool reported = false;  ///< the loop was told, or is about to be
    bool closed = false;    ///< the descriptor was closed in the meantime: `result` says so
    bool begun = false;     ///< connect() was called
    bool emptied = false;   ///< by this receive, as far as `tells_empty` can tell

    // What it is given. Each idle connection has one of these: no call has an address and a file.
    union {
        std::uint32_t address_size = 0;  ///< the room for it; then its size
        int file;
    };
    IoDescriptor descriptor = {};
    void* data = nullptr;
    std::size_t size = 0;
    union {
        void* address = nullptr;  ///< a sockaddr
        std::int64_t offset;
    };
    std::int64_t result = 0;  ///< a number of bytes, a descriptor, zero; or a negative errno

private:
    IoBackend* backend_ = nullptr;
};

}  // namespace asyncio
