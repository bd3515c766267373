#pragma once

#include "support/wrapped_backend.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/loop/clock.h>
#include <asyncio/tasks/sleep.h>

#include <algorithm>
#include <functional>

namespace support {

/// The usual backend, but each call that an operation makes can be made to fail, or to be cut short.
class FaultyBackend : public WrappedBackend {
public:
    using Operation = asyncio::IoOperation;

    /// Asked before each call: an errno to fail with, or zero.
    std::function<int(const Operation&)> fault;
    /// The most that one receive or send may move; zero for any number.
    std::size_t most = 0;
    /// How many calls were made.
    int calls = 0;

    bool submit(Operation& operation) noexcept override {
        if (operation.at_once) {
            if (int error = next_fault(operation)) {
                operation.result = -error;
                return true;
            }
        }
        Shortened shortened(operation, most);
        return WrappedBackend::submit(operation);
    }
    bool collect(Operation& operation) noexcept override {
        if (int error = next_fault(operation)) {
            cancel(operation);
            operation.result = -error;
            return true;
        }
        Shortened shortened(operation, most);
        return WrappedBackend::collect(operation);
    }

private:
    class Shortened {
    public:
        Shortened(Operation& operation, std::size_t most) noexcept : operation_(operation), size_(operation.size) {
            if (most == 0) return;
            operation.size = std::min(operation.size, operation.gathers ? std::size_t{1} : most);
        }
        ~Shortened() { operation_.size = size_; }

    private:
        Operation& operation_;
        std::size_t size_;
    };
    int next_fault(const Operation& operation) {
        ++calls;
        return fault ? fault(operation) : 0;
    }
};

/// Runs it in virtual time on a backend that can fail.
template <class Main>
void run_on(FaultyBackend& backend, Main&& main) {
    asyncio::EventLoop loop({.clock = asyncio::VirtualClock{}, .io_backend = backend});
    loop.run_until_complete(main());
    // What run() does at its end.
    for (const asyncio::AnyTask& task : asyncio::all_tasks(loop)) task.cancel();
    while (!asyncio::all_tasks(loop).empty())
        loop.run_until_complete(loop.create_task(asyncio::sleep(std::chrono::seconds(0))));
}

}  // namespace support
