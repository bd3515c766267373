#include <asyncio/net/sock.h>

#include "loop/loop_core.h"

#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/to_thread.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace asyncio::detail {

namespace {

constexpr std::size_t block_size = 256 * 1024;

struct SentByKernel {
    std::int64_t size = 0;
    bool could_begin = true;
};

struct FilePart {
    int file;
    std::int64_t offset;
    std::optional<std::int64_t> count;
};

/// The kernel sends the file, if it can.
class SendFileWaiter final : public SocketWaiter {
public:
    SendFileWaiter(Ref<SocketState> socket, const FilePart& part) noexcept
        : SocketWaiter(IoCall::send_file, std::move(socket)), count_(part.count), begin_(part.offset) {
        operation().file = part.file;
    }
    ~SendFileWaiter() {
        if (sent_ > 0) ::lseek(operation().file, begin_ + sent_, SEEK_SET);
    }
    SentByKernel await_resume() {
        check();
        if (operation().result < 0 && sent_ > 0) throw_error();
        return {sent_, operation().result >= 0};
    }

private:
    void prepare() noexcept override {
        constexpr std::int64_t most = 1 << 30;
        operation().offset = begin_ + sent_;
        operation().size = static_cast<std::size_t>(count_ ? std::min(*count_ - sent_, most) : most);
    }
    bool advance() override {
        sent_ += operation().result;
        return operation().result == 0 || (count_ && sent_ == *count_);
    }

    std::optional<std::int64_t> count_;
    std::int64_t begin_;
    std::int64_t sent_ = 0;
};

std::string read_block(int file, std::int64_t offset, std::size_t size) {
    std::string block(size, '\0');
    ssize_t got = 0;
    do {
        got = ::pread(file, block.data(), size, offset);
        if (got < 0 && errno == ESPIPE) got = ::read(file, block.data(), size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw_os_error(errno);
    block.resize(static_cast<std::size_t>(got));
    return block;
}

Coro<std::size_t> send_by_reading(Ref<SocketState> socket, int file, std::int64_t offset,
                                  std::optional<std::int64_t> count) {
    /// Leaves the file's position behind what was sent, also when it ends by an exception.
    class Position {
    public:
        Position(int the_file, std::int64_t the_offset) noexcept : file(the_file), offset(the_offset) {}
        ~Position() {
            if (sent > 0) ::lseek(file, offset + sent, SEEK_SET);
        }
        int file;
        std::int64_t offset;
        std::int64_t sent = 0;
    };
    Position position(file, offset);
    for (;;) {
        std::size_t size = block_size;
        if (count) size = static_cast<std::size_t>(std::min<std::int64_t>(*count - position.sent, block_size));
        if (size == 0) break;
        std::string block = co_await asyncio::to_thread(read_block, file, offset + position.sent, size);
        if (block.empty()) break;
        co_await SocketCall<SendAllWaiter, KeptBytes>(socket, KeptBytes(BytesLike(block)));
        position.sent += static_cast<std::int64_t>(block.size());
    }
    co_return static_cast<std::size_t>(position.sent);
}

void check_arguments(const SocketState& socket, std::int64_t offset, std::optional<std::int64_t> count) {
    if (socket.kind != SocketKind::STREAM) throw ValueError("only SOCK_STREAM type sockets are supported");
    if (count && *count <= 0) {
        throw ValueError("count must be a positive integer (got " + std::to_string(*count) + ")");
    }
    if (offset < 0) throw ValueError("offset must be a non-negative integer (got " + std::to_string(offset) + ")");
}

}  // namespace

Coro<std::size_t> sock_sendfile(Ref<SocketState> socket, int file, std::int64_t offset,
                                std::optional<std::int64_t> count, SendfileOptions options) {
    if (!socket) throw_os_error(EBADF);
    check_arguments(*socket, offset, count);
    struct stat status = {};
    bool is_file = ::fstat(file, &status) == 0;
    if (is_file) {
        if (!count && S_ISREG(status.st_mode) && status.st_size == 0) co_return std::size_t{0};
        FilePart part{file, offset, count};
        SentByKernel sent = co_await SocketCall<SendFileWaiter, FilePart>(socket, part);
        if (sent.could_begin) co_return static_cast<std::size_t>(sent.size);
    }
    if (!options.fallback) {
        throw SendfileNotAvailableError(is_file ? "os.sendfile call failed" : "not a regular file");
    }
    co_return co_await send_by_reading(std::move(socket), file, offset, count);
}

}  // namespace asyncio::detail
