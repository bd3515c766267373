#pragma once

#include "os/epoll_backend.h"
#include "support/thread_gate.h"

#include <asyncio/core/event_loop.h>

#include <optional>
#include <vector>

namespace support {

/// The usual I/O backend, which also says when the loop falls asleep: for threads that are to act just then.
class SleepWatch final : public asyncio::IoBackend {
public:
    void watch(int fd, bool readable, bool writable) override { epoll_.watch(fd, readable, writable); }
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<asyncio::IoEvent>& events) override {
        if (!timeout || timeout->count() > 0) asleep_.open();
        epoll_.wait(timeout, events);
    }
    void wake() noexcept override { epoll_.wake(); }

    void wait_until_the_loop_sleeps() { asleep_.wait(); }

private:
    asyncio::detail::EpollBackend epoll_;
    Gate asleep_;
};

/// Runs `main(watch)` in a loop of its own, in virtual time.
template <class Main>
void run_watched(Main&& main) {
    SleepWatch watch;
    asyncio::EventLoop loop({.clock = asyncio::VirtualClock{}, .io_backend = &watch});
    loop.run_until_complete(main(watch));
}

}  // namespace support
