#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/tasks/run.h>

#include <thread>

#include "support/thread_gate.h"

namespace support {

/// A loop that runs in a thread of its own.
class LoopThread {
public:
    LoopThread() : thread_([this] { run(); }) { started_.wait(); }
    ~LoopThread() {
        loop_->call_soon_threadsafe([this] { stop_.set_result(); });
        thread_.join();
    }
    asyncio::EventLoop& loop() { return *loop_; }

private:
    void run() {
        auto main = [this]() -> asyncio::Coro<> {
            loop_ = &asyncio::get_running_loop();
            stop_ = loop_->create_future<>();
            started_.open();
            co_await stop_;
            stop_ = {};
        };
        asyncio::run(main());
    }
    asyncio::EventLoop* loop_ = nullptr;
    asyncio::Future<> stop_;
    Gate started_;
    std::thread thread_;
};

/// Ends when it is told to.
struct Work {
    asyncio::Future<int> end;
    Gate begun;
    asyncio::Coro<int> wait() {
        end = asyncio::get_running_loop().create_future<int>();
        begun.open();
        co_return co_await end;
    }
};

template <class F>
void on_loop(asyncio::EventLoop& loop, F&& function) {
    Gate done;
    loop.call_soon_threadsafe([&] {
        function();
        done.open();
    });
    done.wait();
}

}  // namespace support
