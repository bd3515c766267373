#include <asyncio/tasks/staggered_race.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/wait_for.h>

namespace asyncio::detail {

/// The race's wait for the end of its tasks. Gives the CancelledError that ended it early, or null.
class [[nodiscard]] RaceOver final : public Waiter {
public:
    explicit RaceOver(Race& race) noexcept : race_(race) {}
    ~RaceOver() { race_.waiter_ = nullptr; }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        race_.waiter_ = this;
        suspend(*frame.promise().task(), frame);
    }
    std::exception_ptr await_resume() {
        return was_cancelled() ? std::make_exception_ptr(CancelledError(take_cancel_request())) : nullptr;
    }
    WaitEdge edge() const noexcept override { return {WaitKind::several, static_cast<const AwaitsFutures*>(&race_)}; }

private:
    Race& race_;
};

namespace {

class [[nodiscard]] AllRunners : public NativeAwaitable {
public:
    explicit AllRunners(Race& race) noexcept : race_(race) {}
    RaceOver operator co_await() const noexcept { return RaceOver(race_); }

private:
    Race& race_;
};

Coro<> wait_until(Future<> failed) { co_await failed; }

}  // namespace

Coro<> Race::run() {
    std::exception_ptr cancellation;
    start_one(Future<>());
    while (!running_.empty()) {
        std::exception_ptr cancelled = co_await AllRunners(*this);
        if (!cancelled) continue;
        cancellation = cancelled;
        const auto* error = exception_cast<CancelledError>(cancelled);
        for (const Task<>& task : running_) task.state_or_null()->cancel(error->request());
    }
    if (!unhandled_.empty()) {
        // Not an error of a coroutine that raced: those are told to the caller.
        std::exception_ptr group = make_exception_group("staggered race failed", std::move(unhandled_));
        std::rethrow_exception(group);
    }
    if (cancellation) std::rethrow_exception(cancellation);
}

void Race::start_one(Future<> previous_failed) {
    EventLoop& loop = get_running_loop();
    // An eager task waits for this one to know it; any other finds that done already.
    Future<> may_start = loop.create_future();
    Task<> task = loop.create_task(run_one(may_start, std::move(previous_failed)));
    running_.push_back(task);
    task.add_done_callback([this](const Task<>& done) { one_is_done(done); });
    may_start.set_result();
}

Coro<> Race::run_one(Future<> may_start, Future<> previous_failed) {
    co_await may_start;
    if (previous_failed) {
        try {
            co_await wait_for(wait_until(previous_failed), delay_);
        } catch (const TimeoutError&) {
        }
    }
    Coro<> coro = next();
    if (!coro) co_return;
    Future<> failed = get_running_loop().create_future();
    start_one(failed);
    std::size_t index = exceptions_.size();
    exceptions_.emplace_back();
    try {
        co_await std::move(coro);
    } catch (...) {
        exceptions_[index] = std::current_exception();
    }
    if (exceptions_[index]) {
        if (is_keyboard_interrupt_or_system_exit(exceptions_[index])) std::rethrow_exception(exceptions_[index]);
        if (!failed.done()) failed.set_result();  // the next one may begin
    } else if (!winner_) {
        winner_ = index;
        cancel_others();
    }
}

void Race::cancel_others() {
    AnyTask winner = current_task();
    for (const Task<>& task : running_) {
        if (task != winner) task.cancel();
    }
}

void Race::one_is_done(const Task<>& task) {
    std::erase(running_, task);
    if (waiter_ != nullptr && running_.empty()) waiter_->wake();
    if (!task.cancelled() && task.exception()) unhandled_.push_back(task.exception());
}

}  // namespace asyncio::detail
