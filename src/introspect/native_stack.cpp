#include "introspect/native_stack.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/os_errors.h>

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

namespace asyncio::detail {

namespace {

constexpr int most_frames = 64;

/// What the thread that is asked writes. One question at a time; an answer that comes too late is to a number that
/// nobody waits for any more.
struct StackAnswer {
    std::mutex one_at_a_time;
    std::atomic<pthread_t> thread = {};  // that is asked
    std::atomic<unsigned> asked = 0;
    std::atomic<unsigned> answered = 0;
    void* frames[most_frames] = {};
    int count = 0;
};
StackAnswer stack_answer;

std::mutex users_mutex;
int users[NSIG] = {};
struct sigaction former[NSIG];

void stands_here(int) {
    int error = errno;
    unsigned number = stack_answer.asked.load(std::memory_order_acquire);
    bool is_asked = ::pthread_equal(stack_answer.thread.load(std::memory_order_relaxed), ::pthread_self()) != 0;
    if (is_asked &&
        number != stack_answer.answered.load(std::memory_order_relaxed)) {  // or else the signal is not ours
        stack_answer.count = ::backtrace(stack_answer.frames, most_frames);
        stack_answer.answered.store(number, std::memory_order_release);
    }
    errno = error;
}

}  // namespace

NativeStack::NativeStack(int signal) : signal_(signal == 0 ? SIGURG : signal), thread_(::pthread_self()) {
    void* warm_up[4];
    ::backtrace(warm_up, 4);  // the first time it loads a library
    if (signal_ < 1 || signal_ >= NSIG) throw_os_error(EINVAL);
    std::lock_guard lock(users_mutex);
    if (users[signal_]++ > 0) return;
    struct sigaction action = {};
    action.sa_handler = stands_here;
    action.sa_flags = SA_RESTART;
    ::sigfillset(&action.sa_mask);
    int error = ::sigaction(signal_, nullptr, &former[signal_]) != 0 ? errno : 0;
    bool is_taken = (former[signal_].sa_flags & SA_SIGINFO) != 0 ||
                    (former[signal_].sa_handler != SIG_DFL && former[signal_].sa_handler != SIG_IGN);
    if (error == 0 && !is_taken && ::sigaction(signal_, &action, nullptr) != 0) error = errno;
    if (error == 0 && !is_taken) return;
    --users[signal_];
    if (error != 0) throw_os_error(error);
    throw RuntimeError("signal " + std::to_string(signal_) + " has a handler already: choose another signal");
}

NativeStack::~NativeStack() {
    std::lock_guard lock(users_mutex);
    if (--users[signal_] == 0) ::sigaction(signal_, &former[signal_], nullptr);
}

std::vector<std::string> NativeStack::ask() const {
    using namespace std::chrono_literals;
    std::lock_guard lock(stack_answer.one_at_a_time);
    unsigned number = stack_answer.asked.load(std::memory_order_relaxed) + 1;
    stack_answer.thread.store(thread_, std::memory_order_relaxed);
    stack_answer.asked.store(number, std::memory_order_release);
    if (::pthread_kill(thread_, signal_) != 0) return {};
    auto end = std::chrono::steady_clock::now() + 1s;
    while (stack_answer.answered.load(std::memory_order_acquire) != number) {
        if (std::chrono::steady_clock::now() > end) return {};
        std::this_thread::sleep_for(100us);
    }
    std::unique_ptr<char*, void (*)(void*)> lines(::backtrace_symbols(stack_answer.frames, stack_answer.count),
                                                  std::free);
    std::vector<std::string> stack;
    if (!lines) return stack;
    constexpr int of_the_signal = 2;  // the handler's frame, and the one that the kernel puts below it
    for (int i = of_the_signal; i < stack_answer.count; ++i) stack.emplace_back(lines.get()[i]);
    return stack;
}

}  // namespace asyncio::detail
