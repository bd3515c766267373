#include "os/wake_up.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace asyncio::detail {

WakeUp::~WakeUp() { close(); }

int WakeUp::open() noexcept {
    if (fd_ < 0) fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd_ < 0 ? errno : 0;
}

void WakeUp::close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void WakeUp::after_fork() noexcept {
    close();
    state_.store(State::awake);
}

void WakeUp::wake() noexcept {
    if (state_.exchange(State::woken) != State::asleep) return;
    int error = errno;
    std::uint64_t one = 1;
    while (::write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = error;
}

bool WakeUp::fall_asleep() noexcept {
    State state = State::awake;
    if (state_.compare_exchange_strong(state, State::asleep)) return true;
    look();
    return false;
}

void WakeUp::awake() noexcept { state_.exchange(State::awake); }

bool WakeUp::look() noexcept {
    if (state_.load(std::memory_order_relaxed) != State::woken) return false;
    state_.exchange(State::awake);  // not a store: it reads what wake() wrote, and so sees all that came before
    return true;
}

void WakeUp::drain() noexcept {
    std::uint64_t wakes = 0;
    [[maybe_unused]] ssize_t size = ::read(fd_, &wakes, sizeof wakes);
}

}  // namespace asyncio::detail
