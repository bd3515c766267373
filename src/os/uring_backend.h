#pragma once

#include "os/descriptor_lines.h"
#include "os/uring_ring.h"
#include "os/wake_up.h"

#include <asyncio/detail/pool.h>

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace asyncio::detail {

/// Tries at once, and has io_uring wait, or receive and accept ahead, when it must. What is to be handed to the kernel
/// is collected and goes with the next wait: one system call a turn.
///
/// Streams receive and servers accept by one request that goes on by itself; what has come of it belongs to the
/// descriptor until an operation collects it. It is called off when by the next wait nobody wants more. Everything else
/// waits by a poll request.
class UringBackend final : public IoBackend {
public:
    UringBackend();  ///< throws OSError
    ~UringBackend() override;
    UringBackend(const UringBackend&) = delete;
    UringBackend& operator=(const UringBackend&) = delete;

    std::string_view name() const noexcept override { return "io_uring"; }
    bool submit(IoOperation& operation) noexcept override;
    bool collect(IoOperation& operation) noexcept override;
    void cancel(IoOperation& operation) noexcept override;
    void closing(IoDescriptor descriptor) noexcept override;
    void watch(int fd, bool readable, bool writable) override;
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<IoEvent>& events) override;
    void wake() noexcept override { wake_up_.wake(); }

private:
    struct Descriptor;
    struct Requests;  // the tag of the list of requests

    /// What the kernel was asked for and has not ended yet. Its address is the user_data.
    struct Request : ListHook<Requests>, Pooled {
        enum class Kind : std::uint8_t { wake, watch, read_poll, write_poll, receive, accept };
        Kind kind = Kind::wake;
        bool called_off = false;
        Descriptor* descriptor = nullptr;  // null when nobody is interested any more
    };

    /// A part of one of our buffers.
    struct Chunk {
        unsigned buffer;
        unsigned begin;
        unsigned end;
    };

    struct Descriptor {
        int fd = -1;
        std::uint32_t serial = 0;
        std::uint8_t watched = 0;    // POLLIN | POLLOUT
        bool to_be_checked = false;  // it is in to_check_
        dev_t device = 0;            // of the file that is watched
        ino_t inode = 0;
        DescriptorLine reading;
        DescriptorLine writing;
        Request* watching = nullptr;
        Request* read_poll = nullptr;
        Request* write_poll = nullptr;
        Request* series = nullptr;  // a receive or an accept
        // What the series has brought and nobody has collected: bytes that were moved out of the way, then chunks; or
        // connections; then an end or an error.
        std::string kept;
        std::size_t kept_begin = 0;
        std::vector<Chunk> chunks;
        std::vector<int> accepted;
        bool ended = false;
        int error = 0;

        DescriptorLine& direction(IoCall call) noexcept { return is_for_writing(call) ? writing : reading; }
        bool has_bytes() const noexcept { return kept_begin < kept.size() || !chunks.empty(); }
        bool has_something() const noexcept { return has_bytes() || !accepted.empty() || ended || error != 0; }
    };

    Descriptor* find(IoDescriptor which) noexcept;
    Request* ask(Descriptor& descriptor, Request::Kind kind) noexcept;
    void call_off(Request*& request) noexcept;
    void arm(Descriptor& descriptor, const IoOperation& first) noexcept;
    bool take(IoOperation& operation, Descriptor& descriptor) noexcept;
    void take_bytes(IoOperation& operation, Descriptor& descriptor) noexcept;
    bool park(IoOperation& operation) noexcept;
    void next_in_line(Descriptor& descriptor, DescriptorLine& direction) noexcept;
    void check_later(Descriptor& descriptor) noexcept;
    void check(Descriptor& descriptor) noexcept;
    void keep_chunks(Descriptor& descriptor);
    void drop_series(Descriptor& descriptor) noexcept;
    void abandon(Descriptor& descriptor) noexcept;
    void note_completion(const io_uring_cqe& completion, std::vector<IoEvent>& events);
    void note_series(Request& request, const io_uring_cqe& completion) noexcept;

    WakeUp wake_up_;
    UringRing ring_;
    Request* waking_ = nullptr;
    Descriptor no_descriptor_;
    IntrusiveList<Request, Requests> requests_;
    DescriptorTable<Descriptor> table_;
    Reports reports_;
    std::vector<Descriptor*> to_check_;
    std::vector<Descriptor*> checking_;
};

}  // namespace asyncio::detail
