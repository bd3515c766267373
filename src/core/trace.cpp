#include <asyncio/core/trace.h>

#include "core/task_loop.h"
#include "core/trace_file.h"
#include "errors/function_name.h"
#include "loop/observers.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace asyncio {

namespace {

using Steady = std::chrono::steady_clock;

unsigned next_loop_number() noexcept {
    static std::atomic<unsigned> last = 0;
    return ++last;
}

void log_failure(std::string_view path) noexcept {
    try {
        detail::log(LogLevel::error,
                    "the trace '" + std::string(path) + "' could not be written: " + repr(std::current_exception()));
    } catch (...) {  // no memory for that
    }
}

}  // namespace

class TraceRecorder::State final : public detail::Observer {
public:
    State(detail::LoopCore& loop, std::string path, std::size_t capacity)
        : path_(std::move(path)), capacity_(capacity), number_(next_loop_number()), loop_(&loop) {
        if (capacity == 0) throw ValueError("the capacity of a trace must be positive");
        loop.service<detail::Observers>().add(*this);
    }
    ~State() {
        if (loop_ != nullptr) loop_->service<detail::Observers>().remove(*this);
    }

    void made_ready(detail::ReadyNode&) noexcept override {}
    void before_step(detail::ReadyNode& node) noexcept override {
        is_in_step_ = true;
        try {
            note(detail::task_of_step(node));
        } catch (const std::bad_alloc&) {
            is_in_step_ = false;
            ++dropped_;
        }
    }
    void after_step() noexcept override {
        if (!std::exchange(is_in_step_, false)) return;
        detail::TracedStep& step = steps_[newest_];
        step.taken = Steady::now() - step.begin;
    }
    void loop_is_closing() noexcept override {
        loop_ = nullptr;
        if (!is_of_environment_) return;
        write_by_environment();
        delete this;
    }
    void belong_to_environment() noexcept { is_of_environment_ = true; }

    std::size_t size() const noexcept { return steps_.size(); }
    std::size_t dropped() const noexcept { return dropped_; }
    const std::string& path() const noexcept { return path_; }
    void write() const { detail::write_trace(path_, events()); }

private:
    void note(detail::TaskBase* task) {
        std::uint32_t function = task != nullptr ? number_of(task->function()) : 0;
        std::string name = task != nullptr ? task->name() : std::string();
        if (steps_.size() < capacity_) {
            steps_.emplace_back();
            newest_ = steps_.size() - 1;
        } else {
            newest_ = (newest_ + 1) % capacity_;
            ++dropped_;
        }
        detail::TracedStep& step = steps_[newest_];
        step.function = function;
        step.task = std::move(name);
        step.taken = {};
        step.begin = Steady::now();
    }

    std::uint32_t number_of(const std::source_location& function) {
        auto [found, is_new] =
            numbers_.try_emplace(function.function_name(), static_cast<std::uint32_t>(functions_.size()));
        if (is_new) {
            try {
                functions_.push_back({detail::function_name(function.function_name()),
                                      std::string(function.file_name()) + ":" + std::to_string(function.line())});
            } catch (...) {
                numbers_.erase(found);
                throw;
            }
        }
        return found->second;
    }

    std::string events() const {
        detail::TracePage page{number_, dropped_, functions_, {}};
        std::size_t first = steps_.size() < capacity_ ? 0 : newest_ + 1;
        for (std::size_t i = 0; i < steps_.size(); ++i) page.steps.push_back(&steps_[(first + i) % steps_.size()]);
        return trace_events(page);
    }

    void write_by_environment() const noexcept {
        static std::mutex mutex;
        static bool is_there = false;
        try {
            std::string text = events();
            std::lock_guard lock(mutex);
            if (is_there) {
                detail::add_to_trace(path_, text);
            } else {
                detail::write_trace(path_, text);
            }
            is_there = true;
        } catch (...) {
            log_failure(path_);
        }
    }

    std::string path_;
    std::size_t capacity_;
    unsigned number_;
    detail::LoopCore* loop_;
    bool is_of_environment_ = false;
    bool is_in_step_ = false;
    std::size_t newest_ = 0;
    std::size_t dropped_ = 0;
    std::vector<detail::TracedStep> steps_;  // a ring when it is full
    std::vector<detail::TracedFunction> functions_;
    std::unordered_map<const char*, std::uint32_t> numbers_;
};

TraceRecorder::TraceRecorder(std::string path, TraceOptions options)
    : TraceRecorder(get_running_loop(), std::move(path), options) {}

TraceRecorder::TraceRecorder(EventLoop& loop, std::string path, TraceOptions options) {
    loop.core().check_closed();
    loop.core().check_thread();
    state_ = std::make_unique<State>(loop.core(), std::move(path), options.capacity);
}

TraceRecorder::~TraceRecorder() {
    try {
        write();
    } catch (...) {
        log_failure(state_->path());
    }
}

std::size_t TraceRecorder::size() const noexcept { return state_->size(); }
std::size_t TraceRecorder::dropped() const noexcept { return state_->dropped(); }
void TraceRecorder::write() const { state_->write(); }

namespace detail {

void trace_by_environment(LoopCore& loop) noexcept {
    try {
        static const std::string path = [] {
            const char* value = std::getenv("ASYNCIO_TRACE");
            return std::string(value != nullptr ? value : "");
        }();
        if (path.empty()) [[likely]]
            return;
        auto* state = new TraceRecorder::State(loop, path, TraceOptions().capacity);
        state->belong_to_environment();
    } catch (...) {
        log_failure("ASYNCIO_TRACE");
    }
}

}  // namespace detail

}  // namespace asyncio
