#include "os/epoll_backend.h"

#include <asyncio/core/exceptions.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#if defined(__SANITIZE_THREAD__)
#define ASYNCIO_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ASYNCIO_THREAD_SANITIZER 1
#endif
#endif

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint8_t read_bit = EPOLLIN;
constexpr std::uint8_t write_bit = EPOLLOUT;

/// Rounded up: a timer that is due must find its time reached, or the loop would spin until then.
int to_milliseconds(std::optional<nanoseconds> timeout) noexcept {
    if (!timeout) return -1;
    if (timeout->count() <= 0) return 0;
    std::int64_t milliseconds = (timeout->count() - 1) / 1'000'000 + 1;
    return milliseconds > INT_MAX ? INT_MAX : static_cast<int>(milliseconds);
}

#ifdef SYS_epoll_pwait2
long wait_with_nanoseconds(int epoll_fd, std::vector<epoll_event>& ready, nanoseconds timeout) noexcept {
    struct {  // the kernel's own timespec, which has 64 bits everywhere
        std::int64_t seconds, nanoseconds;
    } limit{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    return ::syscall(SYS_epoll_pwait2, epoll_fd, ready.data(), static_cast<int>(ready.size()), &limit, nullptr,
                     std::size_t{0});
}
#endif

}  // namespace

EpollBackend::EpollBackend(Precision best) : precision_(best), ready_(1) {
#if !defined(SYS_epoll_pwait2) || defined(ASYNCIO_THREAD_SANITIZER)
    // ThreadSanitizer holds a signal back until a call that it knows, and it does not know this
    // one.
    precision_ = Precision::milliseconds;
#endif
    epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd_ < 0) throw OSError(errno);
    wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_event readable{};
    readable.events = read_bit;
    readable.data.fd = wake_fd_;
    if (wake_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &readable) != 0) {
        int error = errno;
        if (wake_fd_ >= 0) ::close(wake_fd_);
        ::close(epoll_fd_);
        throw OSError(error);
    }
}

EpollBackend::~EpollBackend() {
    ::close(wake_fd_);
    ::close(epoll_fd_);
}

void EpollBackend::watch(int fd, bool readable, bool writable) {
    if (fd < 0) throw ValueError("Invalid file descriptor: " + std::to_string(fd));
    if (!readable && !writable) return forget(fd);
    grow(fd);

    std::uint8_t& wanted = wanted_[static_cast<std::size_t>(fd)];
    epoll_event change{};
    change.events = (readable ? read_bit : 0u) | (writable ? write_bit : 0u);
    change.data.fd = fd;
    int failed = ::epoll_ctl(epoll_fd_, wanted != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &change);
    if (failed != 0 && (errno == ENOENT || errno == EEXIST)) {
        // Closed behind our back: now the number means another file than when we last heard of it.
        failed = ::epoll_ctl(epoll_fd_, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &change);
    }
    if (failed != 0) {
        int error = errno;
        forget(fd);
        throw OSError(error);
    }
    if (wanted == 0) ++watched_;
    wanted = static_cast<std::uint8_t>(change.events);
}

/// Makes room for one more descriptor, before anything has changed.
void EpollBackend::grow(int fd) {
    auto index = static_cast<std::size_t>(fd);
    if (index >= wanted_.size()) {
        if (::fcntl(fd, F_GETFD) < 0) throw OSError(errno);  // no table of gigabytes for a wild number
        wanted_.resize(index + 1);
    }
    if (ready_.size() < watched_ + 2) ready_.resize(watched_ + 2);
}

void EpollBackend::forget(int fd) noexcept {
    auto index = static_cast<std::size_t>(fd);
    if (index >= wanted_.size() || wanted_[index] == 0) return;
    epoll_event unused{};
    ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &unused);  // fails if closed: the kernel forgot it
    wanted_[index] = 0;
    --watched_;
}

void EpollBackend::wait(std::optional<nanoseconds> timeout, std::vector<IoEvent>& events) {
    bool may_sleep = !timeout || timeout->count() > 0;
    State state = State::awake;
    bool sleeps = may_sleep && state_.compare_exchange_strong(state, State::asleep);
    if (!sleeps) {
        // An exchange, not a store: it reads what wake() wrote, and so sees all that came before.
        if (state_.load(std::memory_order_relaxed) == State::woken) state_.exchange(State::awake);
        if (watched_ == 0) return;  // only the eventfd could be ready, and it only ends sleeps
        timeout = nanoseconds(0);
    }
    int count = poll(timeout);
    int error = errno;
    if (sleeps) state_.exchange(State::awake);
    if (count < 0) {
        if (error == EINTR) return;
        throw OSError(error);
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        int fd = ready_[i].data.fd;
        if (fd == wake_fd_) {
            std::uint64_t wakes = 0;
            [[maybe_unused]] ssize_t size = ::read(wake_fd_, &wakes, sizeof wakes);
            continue;
        }
        // Neither in nor out is an error or a hang-up: both sides find it when they try.
        std::uint32_t seen = ready_[i].events;
        std::uint8_t wanted = wanted_[static_cast<std::size_t>(fd)];
        bool readable = (seen & ~std::uint32_t{write_bit}) != 0 && (wanted & read_bit) != 0;
        bool writable = (seen & ~std::uint32_t{read_bit}) != 0 && (wanted & write_bit) != 0;
        if (readable || writable) events.push_back({fd, readable, writable});
    }
}

int EpollBackend::poll(std::optional<nanoseconds> timeout) noexcept {
#ifdef SYS_epoll_pwait2
    if (precision_ == Precision::nanoseconds && timeout && timeout->count() > 0) {
        long count = wait_with_nanoseconds(epoll_fd_, ready_, *timeout);
        // A container's filter may say EPERM to a call that is newer than itself.
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(count);
        precision_ = Precision::milliseconds;
    }
#endif
    return ::epoll_wait(epoll_fd_, ready_.data(), static_cast<int>(ready_.size()), to_milliseconds(timeout));
}

void EpollBackend::wake() noexcept {
    if (state_.exchange(State::woken) != State::asleep) return;
    int error = errno;
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t size = ::write(wake_fd_, &one, sizeof one);
    errno = error;
}

}  // namespace asyncio::detail
