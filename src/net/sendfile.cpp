#include <asyncio/net/sock.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"
#include "net/file_reading.h"

#include <asyncio/core/waiter.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/tasks/to_thread.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace asyncio::detail {

namespace {

/// A place in the line of those who send on a socket, kept while there is nothing to send yet.
class SendPlace {
public:
    explicit SendPlace(Ref<SocketState> socket) noexcept : socket_(std::move(socket)), operation_(*this) {}
    SendPlace(const SendPlace&) = delete;
    SendPlace& operator=(const SendPlace&) = delete;

    /// Behind all who wait, or before them if it was the turn of who takes it.
    void take(SendTurn turn) noexcept {
        operation_.descriptor = {socket_->fd, socket_->serial};
        operation_.at_once = false;
        operation_.goes_on = turn == SendTurn::goes_on;
        bool failed = operation_.start(running_core().io());  // as sending will
        is_first_ = failed || operation_.goes_on;
    }

    class TurnWaiter final : public Waiter {
    public:
        explicit TurnWaiter(SendPlace* place) noexcept : Waiter(WaitKind::file_descriptor), place_(place) {
            set_fd(place->operation_.descriptor.fd);
            set_doing(Doing::writing);
        }
        ~TurnWaiter() { place_->waiter_ = nullptr; }
        bool await_ready() const noexcept { return place_->is_first_; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
            place_->waiter_ = this;
            suspend(*frame.promise().task(), frame);
        }
        void await_resume() { check(); }
        void tell(WaitStory& story) const override { story.text = descriptor_story(fd(), "in sock_sendfile()"); }

    private:
        void on_cancel() noexcept override { place_->waiter_ = nullptr; }
        SendPlace* place_;
    };
    /// Waits until nobody is before it.
    auto turn() noexcept { return WaiterCall<TurnWaiter, SendPlace*>(this); }

private:
    struct Operation : IoOperation {
        explicit Operation(SendPlace& its_place) noexcept
            : IoOperation(IoCall::writable, &SendPlace::is_named), place(its_place) {}
        SendPlace& place;
    };
    /// Who is named is the first, and stays it as long as nobody collects that there is room.
    static void is_named(ReadyNode& node) {
        SendPlace& place = static_cast<Operation&>(static_cast<IoOperation&>(node)).place;
        place.is_first_ = true;
        if (place.waiter_ != nullptr) place.waiter_->wake();
    }

    Ref<SocketState> socket_;
    Operation operation_;
    bool is_first_ = false;
    Waiter* waiter_ = nullptr;
};

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
    SendFileWaiter(Ref<SocketState> socket, const FilePart& part, SendPlace* place) noexcept
        : SocketWaiter(IoCall::send_file, std::move(socket)), count_(part.count), begin_(part.offset), place_(place) {
        operation().file = part.file;
    }
    ~SendFileWaiter() {
        if (sent_ > 0) ::lseek(operation().file, begin_ + sent_, SEEK_SET);
    }
    SentByKernel await_resume() {
        check();
        if (operation().result < 0 && sent_ > 0) throw_failure();
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
        operation().goes_on = true;
        return operation().result == 0 || (count_ && sent_ == *count_);
    }

    /// It is still our turn if the file is sent in another way.
    void failed() noexcept override {
        if (sent_ == 0) place_->take(SendTurn::goes_on);
    }

    std::optional<std::int64_t> count_;
    std::int64_t begin_;
    std::int64_t sent_ = 0;
    SendPlace* place_;
};

Coro<std::size_t> send_by_reading(Ref<SocketState> socket, SendPlace* place, int file, std::int64_t offset,
                                  std::optional<std::int64_t> count) {
    FilePosition position(file, offset);
    for (;;) {
        std::size_t size = position.next_size(count);
        if (size == 0) break;
        std::string block = co_await asyncio::to_thread(read_block, file, offset + position.sent, size);
        if (block.empty()) break;
        co_await place->turn();
        co_await SocketCall<SendAllWaiter, KeptBytes, SendTurn>(socket, KeptBytes(BytesLike(block)), SendTurn::goes_on);
        position.sent += static_cast<std::int64_t>(block.size());
    }
    co_return static_cast<std::size_t>(position.sent);
}

void check_arguments(const SocketState& socket, std::int64_t offset, std::optional<std::int64_t> count) {
    if (socket.kind != SocketKind::STREAM) throw ValueError("only SOCK_STREAM type sockets are supported");
    check_part(offset, count);
}

}  // namespace

Coro<std::size_t> sock_sendfile(Ref<SocketState> socket, int file, std::int64_t offset,
                                std::optional<std::int64_t> count, SendfileOptions options) {
    if (!socket) throw_os_error(EBADF);
    check_arguments(*socket, offset, count);
    struct stat status = {};
    bool is_file = ::fstat(file, &status) == 0;
    SendPlace place(socket);
    if (is_file) {
        if (!count && S_ISREG(status.st_mode) && status.st_size == 0) co_return std::size_t{0};
        FilePart part{file, offset, count};
        SentByKernel sent = co_await SocketCall<SendFileWaiter, FilePart, SendPlace*>(socket, part, &place);
        if (sent.could_begin) co_return static_cast<std::size_t>(sent.size);
    }
    if (!options.fallback) {
        throw SendfileNotAvailableError(is_file ? "os.sendfile call failed" : "not a regular file");
    }
    if (!is_file) place.take(SendTurn::of_its_own);
    co_return co_await send_by_reading(std::move(socket), &place, file, offset, count);
}

}  // namespace asyncio::detail
