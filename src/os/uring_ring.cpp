#include "os/uring_ring.h"

#include "detail/fork_aware.h"
#include "os/thread_sanitizer.h"

#include <asyncio/errors/os_errors.h>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace asyncio::detail {
namespace {

constexpr unsigned entries = 256;
constexpr unsigned completions = 4096;
constexpr int buffer_group = 0;
constexpr std::size_t ring_size = UringRing::buffer_count * sizeof(io_uring_buf);
constexpr std::size_t mapping_size = ring_size + UringRing::buffer_count * UringRing::buffer_size;
static_assert(ring_size % 4096 == 0 && (UringRing::buffer_count & (UringRing::buffer_count - 1)) == 0);

class Fd {
public:
    explicit Fd(int fd) : fd_(fd) {
        if (fd < 0) throw_os_error(errno);
    }
    ~Fd() { ::close(fd_); }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// liburing maps and unmaps memory by system calls of its own, of which ThreadSanitizer knows nothing: to it a ring,
/// and another thread's that was at the same place before, are one object. It learns here which came first.
void order_rings() noexcept {
#ifdef ASYNCIO_THREAD_SANITIZER
    static std::atomic<int> order = 0;
    order.fetch_add(1, std::memory_order_acq_rel);
#endif
}

/// Accepts a connection and receives one byte as a backend would.
bool accepts_and_receives() {
    constexpr int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    Fd listener(::socket(AF_UNIX, type, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof address.sun_family;  // the kernel chooses an abstract name
    auto* name = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.get(), name, size) != 0 || ::listen(listener.get(), 1) != 0) return false;
    size = sizeof address;
    if (::getsockname(listener.get(), name, &size) != 0) return false;

    UringRing ring;
    constexpr auto longest_wait = std::chrono::milliseconds(500);
    struct Completion {
        std::uint64_t user_data;
        std::int32_t res;
        std::uint32_t flags;
    };
    auto next_completion = [&](std::uint64_t user_data) {
        Completion found = {};
        if (ring.enter(longest_wait) != 0) return found;
        ring.take_completions([&](const io_uring_cqe& completion) {
            if (completion.user_data == user_data) found = {user_data, completion.res, completion.flags};
        });
        return found;
    };
    ring.accept_all(listener.get(), 1);
    ring.submit();
    Fd client(::socket(AF_UNIX, type, 0));
    if (::connect(client.get(), name, size) != 0) return false;
    Completion accepted = next_completion(1);
    if (accepted.user_data != 1 || accepted.res < 0 || (accepted.flags & IORING_CQE_F_MORE) == 0) return false;
    Fd server(accepted.res);

    ring.receive_all(server.get(), 2);
    ring.submit();
    if (::send(client.get(), "x", 1, MSG_NOSIGNAL) != 1) return false;
    Completion received = next_completion(2);
    constexpr unsigned wanted = IORING_CQE_F_MORE | IORING_CQE_F_BUFFER;
    bool works = received.res == 1 && (received.flags & wanted) == wanted;

    ring.cancel_everything();
    for (int left = 2; left > 0 && ring.enter(longest_wait) == 0;) {
        ring.take_completions([&](const io_uring_cqe& completion) {
            left -= completion.user_data != 0 && (completion.flags & IORING_CQE_F_MORE) == 0;
        });
    }
    return works;
}

}  // namespace

bool UringRing::is_usable() noexcept {
    // Not by a static object's initialisation: a child that another thread forks meanwhile would wait for its end.
    enum { unknown, no, yes };
    static std::atomic<int> usable = unknown;
    if (int known = usable.load(std::memory_order_relaxed); known != unknown) return known == yes;
    bool works = false;
    try {
        NoFork until_all_is_closed;
        works = accepts_and_receives();
    } catch (...) {
    }
    usable.store(works ? yes : no, std::memory_order_relaxed);
    return works;
}

UringRing::UringRing() {
    io_uring_params params = {};
    // The kernel does not interrupt us for what it has to tell: it waits until we ask.
    params.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    params.cq_entries = completions;
    int failed = io_uring_queue_init_params(entries, &ring_, &params);
    if (failed != 0) throw_os_error(-failed);
    order_rings();
    constexpr unsigned needed = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL;
    void* memory = MAP_FAILED;
    if ((params.features & needed) != needed) {
        failed = -ENOSYS;
    } else {
        memory = ::mmap(nullptr, mapping_size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
        if (memory == MAP_FAILED) failed = -errno;
    }
    if (failed == 0) {
        io_uring_buf_reg registration = {};
        registration.ring_addr = reinterpret_cast<std::uint64_t>(memory);
        registration.ring_entries = buffer_count;
        registration.bgid = buffer_group;
        failed = io_uring_register_buf_ring(&ring_, &registration, 0);
    }
    if (failed != 0) {
        if (memory != MAP_FAILED) ::munmap(memory, mapping_size);
        io_uring_queue_exit(&ring_);
        throw_os_error(-failed);
    }
    buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
    buffers_ = static_cast<char*>(memory) + ring_size;
    io_uring_buf_ring_init(buffer_ring_);
    for (unsigned id = 0; id < buffer_count; ++id) give_back(id);
}

UringRing::~UringRing() {
    order_rings();
    io_uring_queue_exit(&ring_);
    if (!leaves_buffers_) ::munmap(buffer_ring_, mapping_size);
}

void UringRing::give_back(unsigned id) noexcept {
    io_uring_buf_ring_add(buffer_ring_, buffers_ + id * buffer_size, buffer_size, static_cast<unsigned short>(id),
                          io_uring_buf_ring_mask(buffer_count), 0);
    io_uring_buf_ring_advance(buffer_ring_, 1);
}

void UringRing::after_fork() noexcept {
    ::close(ring_.ring_fd);
    ring_.ring_fd = ring_.enter_ring_fd = -1;
}

/// Null if there is no room, and the kernel takes none of what is there.
io_uring_sqe* UringRing::new_entry() noexcept {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry != nullptr) return entry;
    submit();
    return io_uring_get_sqe(&ring_);
}

bool UringRing::receive_all(int fd, std::uint64_t user_data) noexcept {
    io_uring_sqe* entry = new_entry();
    if (entry == nullptr) return false;
    io_uring_prep_recv_multishot(entry, fd, nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = buffer_group;
    io_uring_sqe_set_data64(entry, user_data);
    return true;
}

bool UringRing::accept_all(int fd, std::uint64_t user_data) noexcept {
    io_uring_sqe* entry = new_entry();
    if (entry == nullptr) return false;
    io_uring_prep_multishot_accept(entry, fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    io_uring_sqe_set_data64(entry, user_data);
    return true;
}

bool UringRing::poll(int fd, unsigned events, std::uint64_t user_data) noexcept {
    io_uring_sqe* entry = new_entry();
    if (entry == nullptr) return false;
    io_uring_prep_poll_add(entry, fd, events);
    io_uring_sqe_set_data64(entry, user_data);
    return true;
}

bool UringRing::cancel(std::uint64_t user_data) noexcept {
    io_uring_sqe* entry = new_entry();
    if (entry == nullptr) return false;
    io_uring_prep_cancel64(entry, user_data, 0);
    io_uring_sqe_set_data64(entry, 0);
    return true;
}

bool UringRing::cancel_everything() noexcept {
    io_uring_sqe* entry = new_entry();
    if (entry == nullptr) return false;
    io_uring_prep_cancel64(entry, 0, IORING_ASYNC_CANCEL_ANY);
    io_uring_sqe_set_data64(entry, 0);
    return true;
}

void UringRing::submit() noexcept { io_uring_submit(&ring_); }

int UringRing::enter(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    int result = 0;
    if (timeout && timeout->count() <= 0) {
        unsigned kernel_flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
        bool must_ask = (kernel_flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
        if (!must_ask && io_uring_sq_ready(&ring_) == 0) return 0;
        // What passes is not to be taken for "nothing has happened", upon which a virtual clock moves on.
        for (int tries = 0; tries < 3; ++tries) {
            result = io_uring_submit_and_get_events(&ring_);
            if (result != -EAGAIN && result != -EBUSY && result != -EINTR) break;
        }
        return result < 0 ? -result : 0;
    }
#ifdef ASYNCIO_THREAD_SANITIZER
    submit();
    pollfd completions_there{ring_.ring_fd, POLLIN, 0};
    timespec limit{};
    if (timeout) limit = {timeout->count() / 1'000'000'000, timeout->count() % 1'000'000'000};
    if (::ppoll(&completions_there, 1, timeout ? &limit : nullptr, nullptr) < 0) return errno;
    result = io_uring_submit_and_get_events(&ring_);
#else
    if (!timeout) {
        result = io_uring_submit_and_wait(&ring_, 1);
    } else {
        __kernel_timespec limit{timeout->count() / 1'000'000'000, timeout->count() % 1'000'000'000};
        io_uring_cqe* unused = nullptr;
        result = io_uring_submit_and_wait_timeout(&ring_, &unused, 1, &limit, nullptr);
    }
#endif
    return result < 0 && result != -ETIME ? -result : 0;
}

void UringRing::wait_without_asking(std::chrono::nanoseconds timeout, int also) const noexcept {
    pollfd looked_at[] = {{ring_.ring_fd, POLLIN, 0}, {also, POLLIN, 0}};  // none for a negative one
    timespec limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    ::ppoll(looked_at, 2, &limit, nullptr);
}

}  // namespace asyncio::detail
