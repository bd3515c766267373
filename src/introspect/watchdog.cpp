#include <asyncio/introspect/watchdog.h>

#include "core/task_loop.h"
#include "detail/fork_aware.h"
#include "detail/threads.h"
#include "errors/function_name.h"
#include "introspect/native_stack.h"
#include "loop/observers.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/errors/repr.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <new>
#include <optional>
#include <source_location>
#include <system_error>
#include <thread>
#include <utility>

namespace asyncio {

namespace {
using Steady = std::chrono::steady_clock;
}

class StallWatchdog::State final : public detail::Observer, private detail::ForkAware {
public:
    State(detail::LoopCore& loop, const WatchdogOptions& options)
        : threshold_(options.threshold), report_(options.report.copy()), loop_(&loop) {
        if (!(threshold_.count() > 0)) {
            throw ValueError("threshold must be a positive number, got " + detail::repr_of_double(threshold_.count()));
        }
        if (options.native_stack) stack_.emplace(options.signal);
        auto& observers = loop.service<detail::Observers>();
        auto with_thread = std::make_unique<WithThread>();
        with_thread_ = with_thread.get();
        begin_to_follow_forks();
        try {
            thread_ = std::thread([this] { watch(); });
        } catch (const std::system_error& error) {
            end_to_follow_forks();
            throw_os_error(error.code().value());
        }
        static_cast<void>(with_thread.release());
        observers.add(*this);
    }
    ~State() {
        end_to_follow_forks();
        if (thread_.joinable()) {
            {
                std::lock_guard lock(mutex());
                ends_ = true;
            }
            with_thread_->changed.notify_all();
            thread_.join();
        }
        if (loop_ != nullptr) loop_->service<detail::Observers>().remove(*this);
        if (!is_in_child_) delete with_thread_;
    }

    void made_ready(detail::ReadyNode&) noexcept override {}
    void before_step(detail::ReadyNode& node) noexcept override {
        if (is_in_child_) return;
        detail::TaskBase* task = detail::task_of_step(node);
        std::lock_guard lock(mutex());
        begin_ = Steady::now();
        has_task_ = task != nullptr;
        if (task == nullptr) return;
        function_ = task->function();
        try {
            name_ = task->name();
        } catch (const std::bad_alloc&) {
            name_.clear();
        }
    }
    void after_step() noexcept override {
        if (is_in_child_) return;
        std::lock_guard lock(mutex());
        begin_.reset();
    }
    void loop_is_closing() noexcept override { loop_ = nullptr; }

private:
    // A child has no such thread, and can neither join it nor end what it waits for.
    void before_fork() noexcept override {
        if (!is_in_child_) mutex().lock();
    }
    void after_fork_in_parent() noexcept override {
        if (!is_in_child_) mutex().unlock();
    }
    void after_fork_in_child() noexcept override {
        if (std::exchange(is_in_child_, true)) return;
        mutex().unlock();
        thread_.detach();
    }

    void watch() noexcept {
        std::optional<Steady::time_point> told_of;
        Seconds due(0);
        std::unique_lock lock(mutex());
        detail::count_idle_threads(1);
        const auto pause = std::chrono::duration<double>(std::clamp(threshold_.count() / 4, 0.001, 3600.0));
        while (!with_thread_->changed.wait_for(lock, pause, [this] { return ends_; })) {
            if (!begin_) continue;
            Seconds so_far = Steady::now() - *begin_;
            if (told_of != begin_) {
                told_of.reset();
                due = threshold_;
            }
            if (so_far < due) continue;
            told_of = begin_;
            due = so_far * 2;
            detail::count_idle_threads(-1);  // it may call what wakes the loop
            tell(lock, so_far);
            detail::count_idle_threads(1);
        }
        detail::count_idle_threads(-1);
    }

    void tell(std::unique_lock<std::mutex>& lock, Seconds so_far) noexcept {
        try {
            Stall stall;
            stall.so_far = so_far;
            if (has_task_) {
                stall.task = name_;
                stall.coroutine = detail::function_name(function_.function_name()) + "() at " + function_.file_name() +
                                  ":" + std::to_string(function_.line());
            }
            lock.unlock();
            if (stack_) stall.native_stack = stack_->ask();
            if (report_) {
                report_(stall);
            } else {
                detail::log(LogLevel::warning, str(stall));
            }
        } catch (...) {  // no memory to tell of it
        }
        if (!lock.owns_lock()) lock.lock();
    }

    struct WithThread {
        std::mutex mutex;
        std::condition_variable changed;
    };
    std::mutex& mutex() noexcept { return with_thread_->mutex; }

    const Seconds threshold_;
    const std::function<void(const Stall&)> report_;
    detail::LoopCore* loop_;
    std::optional<detail::NativeStack> stack_;
    WithThread* with_thread_ = nullptr;  // owned, but a child cannot destroy it
    bool is_in_child_ = false;
    bool ends_ = false;
    std::optional<Steady::time_point> begin_;  // of the step that runs
    bool has_task_ = false;
    std::string name_;
    std::source_location function_;
    std::thread thread_;
};

StallWatchdog::StallWatchdog(WatchdogOptions options) {
    get_running_loop().core().check_closed();
    state_ = std::make_unique<State>(get_running_loop().core(), options);
}

StallWatchdog::~StallWatchdog() = default;

std::string str(const Stall& stall) {
    char seconds[40];
    std::snprintf(seconds, sizeof seconds, "%.3f", stall.so_far.count());
    std::string who = stall.coroutine.empty() ? "A callback" : "Task '" + stall.task + "' in " + stall.coroutine;
    std::string text = who + " has held its loop for " + seconds + " seconds";
    for (const std::string& frame : stall.native_stack) text += "\n  " + frame;
    return text;
}

}  // namespace asyncio
