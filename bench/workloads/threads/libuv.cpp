// libuv wakes a loop and leaves the list of calls, and the answer, to the user.
#include <uv.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "bench.h"

namespace {

struct Call {
    void (*function)(Call& call);
    void* argument;
};

/// A loop in a thread of its own that runs the calls it is sent.
class LoopThread {
public:
    LoopThread() {
        uv_loop_init(&loop_);
        uv_async_init(&loop_, &async_, [](uv_async_t* async) { static_cast<LoopThread*>(async->data)->run_calls(); });
        async_.data = this;
        thread_ = std::thread([this] { uv_run(&loop_, UV_RUN_DEFAULT); });
    }
    ~LoopThread() {
        call([](Call& call) { uv_close(static_cast<uv_handle_t*>(call.argument), nullptr); }, &async_);
        thread_.join();
        uv_loop_close(&loop_);
    }
    void call(void (*function)(Call&), void* argument) {
        {
            std::lock_guard lock(mutex_);
            calls_.push_back({function, argument});
        }
        uv_async_send(&async_);
    }

private:
    void run_calls() {
        std::vector<Call> calls;
        {
            std::lock_guard lock(mutex_);
            calls.swap(calls_);
        }
        for (Call& call : calls) call.function(call);
    }
    uv_loop_t loop_{};
    uv_async_t async_{};
    std::mutex mutex_;
    std::vector<Call> calls_;
    std::thread thread_;
};

struct Answer {
    std::mutex mutex;
    std::condition_variable arrived;
    long value = 0;
};

long round_trip(long n) {
    LoopThread loop;
    long sum = 0;
    for (long i = 0; i < n; ++i) {
        Answer answer;
        auto reply = [](Call& call) {
            auto& waiting = *static_cast<Answer*>(call.argument);
            std::lock_guard lock(waiting.mutex);
            waiting.value = 1;
            waiting.arrived.notify_one();
        };
        loop.call(reply, &answer);
        std::unique_lock lock(answer.mutex);
        answer.arrived.wait(lock, [&] { return answer.value != 0; });
        sum += answer.value;
    }
    return sum;
}

long post(long n) {
    long count = 0;
    {
        LoopThread loop;
        for (long i = 0; i < n; ++i) loop.call([](Call& call) { ++*static_cast<long*>(call.argument); }, &count);
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) { return bench::main(argc, argv, {{"round_trip", round_trip}, {"post", post}}); }
