#pragma once

#include "support/thread_gate.h"
#include "support/wrapped_backend.h"

#include <asyncio/core/event_loop.h>

#include <optional>
#include <vector>

namespace support {

/// The usual I/O backend, which also says when the loop falls asleep: for threads that are to act just then.
class SleepWatch final : public WrappedBackend {
public:
    void wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<asyncio::IoEvent>& events) override {
        if (!timeout || timeout->count() > 0) asleep_.open();
        WrappedBackend::wait(timeout, events);
    }

    void wait_until_the_loop_sleeps() { asleep_.wait(); }

private:
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
