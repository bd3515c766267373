#pragma once

#include "detail/fork_aware.h"
#include "os/descriptor_lines.h"
#include "os/uring_file_watch.h"
#include "os/uring_ring.h"
#include "os/wake_up.h"

#include <asyncio/detail/pool.h>

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

/// Tries at once, and has io_uring wait, or receive and accept ahead, when it must. What is to be handed to the kernel
/// is collected and goes with the next wait: one system call a turn.
///
/// Streams receive and servers accept by one request that goes on by itself; what has come of it belongs to the
/// descriptor until an operation collects it. It is called off when by the next wait nobody wants more, or too much is
/// kept already. Everything else waits by a poll request.
///
/// What cannot be had at some moment, memory or room in the ring, is tried again by the next waits, which are short
/// then.
///
/// A forked child gets a ring of its own. What its parent's ring was receiving may have gone to the parent: such a
/// receive ends there with ECONNABORTED.
class UringBackend final : public IoBackend, private ForkAware {
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
    struct Requests;  // the tags of lists
    struct ToCheck;

    /// What the kernel was asked for and has not ended yet. Its address is the user_data.
    struct Request : ListHook<Requests>, Pooled {
        enum class Kind : std::uint8_t { watch, read_poll, write_poll, receive, accept, wake };
        Kind kind = Kind::wake;
        bool called_off = false;
        bool must_be_cancelled = false;    // the kernel did not take the cancellation
        Descriptor* descriptor = nullptr;  // null when nobody is interested any more
    };

    /// What one of our buffers holds, and the buffer with what came next.
    struct Chunk {
        static constexpr std::uint16_t none = UINT16_MAX;
        std::uint16_t begin = 0;
        std::uint16_t end = 0;
        std::uint16_t next = none;
    };

    /// How a stream receives, and a server accepts.
    enum class Reception : std::uint8_t {
        by_series,
        once_by_call,  // there was no buffer, or no descriptor
        by_call,       // its end has come, of which a series does not always tell
    };

    struct Descriptor : ListHook<ToCheck> {
        int fd = -1;
        std::uint32_t serial = 0;
        std::uint8_t watched = 0;  // POLLIN | POLLOUT
        Reception reception = Reception::by_series;
        bool ended = false;
        int error = 0;
        unsigned chunks_unlooked = 0;  // that the series has brought since we last looked for an end behind them
        FileIdentity watched_file;
        DescriptorLine reading;
        DescriptorLine writing;
        Request* watching = nullptr;
        Request* read_poll = nullptr;
        Request* write_poll = nullptr;
        Request* series = nullptr;  // a receive or an accept
        // One of each that is over: to ask again needs no memory.
        std::array<std::unique_ptr<Request>, 4> spare;
        // What the series has brought and nobody has collected: bytes that were moved out of the way, then chunks; or
        // connections; then `ended` or `error`.
        std::string kept;
        std::size_t kept_begin = 0;
        std::uint16_t first_chunk = Chunk::none;
        std::uint16_t last_chunk = Chunk::none;
        std::vector<int> accepted;

        DescriptorLine& direction(IoCall call) noexcept { return is_for_writing(call) ? writing : reading; }
        bool has_bytes() const noexcept { return kept_begin < kept.size() || first_chunk != Chunk::none; }
        bool has_something() const noexcept { return has_bytes() || !accepted.empty() || ended || error != 0; }
    };

    // uring_backend.cpp
    void open_ring();
    void end_requests() noexcept;
    Descriptor* find(IoDescriptor which) noexcept;
    static std::unique_ptr<Request>& spare_of(Descriptor& descriptor, Request::Kind kind) noexcept;
    Request* ask(Descriptor& descriptor, Request::Kind kind) noexcept;
    bool hand_over(Descriptor& descriptor, Request::Kind kind, std::uint64_t user_data) noexcept;
    void cancel_request(Request& request) noexcept;
    void call_off(Request*& request) noexcept;
    bool arm(Descriptor& descriptor, const IoOperation& first) noexcept;
    static bool may_perform(const IoOperation& operation, const Descriptor& descriptor) noexcept;
    bool park(IoOperation& operation) noexcept;
    void next_in_line(Descriptor& descriptor, DescriptorLine& direction) noexcept;
    void check_later(Descriptor& descriptor) noexcept;
    void abandon(Descriptor& descriptor) noexcept;
    void after_fork_in_child() noexcept override;
    void forget_parents_ring() noexcept;

    // uring_waiting.cpp
    bool take(IoOperation& operation, Descriptor& descriptor) noexcept;
    void take_bytes(IoOperation& operation, Descriptor& descriptor) noexcept;
    void give_back_first(Descriptor& descriptor) noexcept;
    bool keep_chunks(Descriptor& descriptor) noexcept;
    static void close_accepted(Descriptor& descriptor) noexcept;
    void drop_series(Descriptor& descriptor) noexcept;
    void check(Descriptor& descriptor) noexcept;
    bool check_all() noexcept;
    static bool has_missed_end(Descriptor& descriptor) noexcept;
    static bool names_nobody(const io_uring_cqe& completion) noexcept;
    void note_completion(const io_uring_cqe& completion, std::vector<IoEvent>& events) noexcept;
    int sit_out_refusal(int error, std::chrono::nanoseconds timeout) noexcept;
    void note_series(Request& request, const io_uring_cqe& completion) noexcept;

    WakeUp wake_up_;
    std::optional<UringRing> ring_;
    bool ring_is_parents_ = false;
    bool some_must_be_cancelled_ = false;
    int refusals_ = 0;  // by the kernel, in a row
    Request* waking_ = nullptr;
    Descriptor no_descriptor_;
    IntrusiveList<Request, Requests> requests_;
    std::array<Chunk, UringRing::buffer_count> chunks_;  // by buffer
    IntrusiveList<Descriptor, ToCheck> to_check_;        // before the table: its descriptors leave it
    DescriptorTable<Descriptor> table_;
    Reports reports_;
    FileWatch file_watch_;
};

}  // namespace asyncio::detail
