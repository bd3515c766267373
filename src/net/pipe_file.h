#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/net/pipes.h>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace asyncio::detail {

enum class Direction : bool { reading, writing };

/// What stands under the transport of a pipe: a descriptor that does not block as long as this has it.
///
/// Whether it blocks is a property of the open file, which other processes may have too, a shell its terminal for
/// instance: it is put back at the end, by the last of those here that have it.
class PipeFile : public ListHook<PipeFile> {
public:
    enum class Kind : std::uint8_t { pipe, socket, device, file };

    /// Throws OSError.
    explicit PipeFile(OwnedDescriptor descriptor);
    PipeFile(PipeFile&& other) noexcept;
    PipeFile& operator=(PipeFile&&) = delete;
    ~PipeFile() { close(); }

    /// One of our own for a standard stream, which stays open: the same file, opened anew where that can be done, so
    /// that nothing has to be put back, not even after a crash.
    static PipeFile of_standard_stream(int fd, Direction direction);

    int fd() const noexcept { return fd_; }
    Kind kind() const noexcept { return kind_; }
    /// It is never waited for.
    bool is_file() const noexcept { return kind_ == Kind::file; }

    /// The system's calls. Negative: an errno; -EAGAIN: not now.
    std::ptrdiff_t read(void* data, std::size_t size) const noexcept;
    std::ptrdiff_t write(const void* data, std::size_t size) const noexcept;
    void close() noexcept;

private:
    bool leave_to_another() noexcept;

    int fd_ = -1;
    Kind kind_ = Kind::pipe;
    bool was_blocking_ = false;  // and is to be put back
    pid_t process_ = 0;          // a forked child leaves the open file as it is: the parent goes on with it
};

}  // namespace asyncio::detail
