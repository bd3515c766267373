#include <asyncio/tasks/staggered_race.h>

#include "core/meant_future.h"
#include "core/wait_story.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/tasks/wait_for.h>

#include <new>
#include <vector>

namespace asyncio::detail {

/// The race's wait for the end of its tasks. Gives the CancelledError that ended it early, or null.
class [[nodiscard]] RaceOver final : public Waiter {
public:
    explicit RaceOver(Race& race) noexcept : Waiter(WaitKind::several, &race_), race_(&race) {}
    ~RaceOver() { race_->set_waiter(nullptr); }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        race_->set_waiter(this);
        suspend(*frame.promise().task(), frame);
    }
    void tell(WaitStory& story) const override {
        story.awaits(*race_);
        story.awaits_any = true;
        story.text = "<staggered_race() with " + counted(story.awaited.size(), "task") + ">";
    }
    std::exception_ptr await_resume() {
        return was_cancelled() ? std::make_exception_ptr(CancelledError(take_cancel_request())) : nullptr;
    }

private:
    Race* race_;
};

namespace {

class [[nodiscard]] AllRunners : public NativeAwaitable {
public:
    explicit AllRunners(Race& race) noexcept : race_(race) {}
    RaceOver operator co_await() const noexcept { return RaceOver(race_); }

private:
    Race& race_;
};

std::string text_of_failure(const void*, int) { return "<failure of the coroutine before it in staggered_race()>"; }
std::string text_of_start(const void*, int) { return "<start of a coroutine of staggered_race()>"; }

Coro<> wait_until(Future<> failed) { co_await MeantFuture(failed, WaitKind::future, text_of_failure); }

}  // namespace

void Racer::task_is_done(ReadyNode& node) {
    auto& racer = static_cast<Racer&>(node);
    Ref<TaskBase> task = std::move(racer.task_);
    racer.race_->one_is_done(racer, *task);
}

void Racer::forget() noexcept {
    ReadyNode::unlink();
    ListHook<Racers>::unlink();
    Ref<TaskBase> last = std::move(task_);
}

Race::Race(std::optional<Seconds> delay) noexcept : delay_(delay) {}

Race::~Race() {
    while (!running_.empty()) running_.front().forget();
    while (!unhandled_.empty()) unhandled_.front().forget();
}

std::size_t Race::count_awaited() const noexcept {
    std::size_t count = 0;
    for ([[maybe_unused]] Racer& racer : running_) ++count;
    return count;
}

FutureBase* Race::awaited(std::size_t index) const noexcept {
    auto racer = running_.begin();
    for (; index > 0; --index) ++racer;
    return (*racer).task_.get();
}

Coro<> Race::run() {
    std::exception_ptr cancellation;
    start_one(Future<>());
    while (!running_.empty()) {
        std::exception_ptr cancelled = co_await AllRunners(*this);
        if (!cancelled) continue;
        cancellation = cancelled;
        cancel_others(exception_cast<CancelledError>(cancelled)->request());
    }
    if (!unhandled_.empty()) {
        // Not an error of a coroutine that raced: those are told to the caller.
        std::vector<std::exception_ptr> errors;
        for (Racer& racer : unhandled_) errors.push_back(racer.task_->peek_exception());
        std::exception_ptr group = make_exception_group("staggered race failed", std::move(errors));
        std::rethrow_exception(group);
    }
    if (cancellation) std::rethrow_exception(cancellation);
}

void Race::start_one(Future<> previous_failed) {
    EventLoop& loop = get_running_loop();
    // An eager task waits for this one to know it; any other finds that done already.
    Future<> may_start = loop.create_future();
    auto task = new_task<Racer>(loop.core(), run_one(may_start, std::move(previous_failed)));
    start_task(*task, {});
    Racer& racer = task->extra();
    racer.race_ = this;
    racer.task_ = task;
    running_.push_back(racer);
    task->add_node(racer);
    may_start.set_result();
}

Coro<> Race::run_one(Future<> may_start, Future<> previous_failed) {
    co_await MeantFuture(may_start, WaitKind::future, text_of_start);
    Coro<> coro;
    Future<> failed;
    try {
        co_await wait_and_start_next(std::move(previous_failed), coro, failed);
    } catch (const std::bad_alloc&) {  // whoever is waiting for this one to fail would wait for ever
        cancel_others(nullptr);
        throw;
    }
    if (!coro) co_return;
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
        cancel_others(request_cancel(running_core(), std::nullopt, std::source_location::current()));
    }
}

/// Until its turn has come; then gives its own coroutine and what the next one will wait for, if there is one left.
Coro<> Race::wait_and_start_next(Future<> previous_failed, Coro<>& own, Future<>& failed) {
    if (previous_failed) {
        try {
            co_await wait_for(wait_until(previous_failed), delay_);
        } catch (const TimeoutError&) {
        }
    }
    own = next();
    if (!own) co_return;
    exceptions_.reserve(exceptions_.size() + 1);
    failed = get_running_loop().create_future();
    start_one(failed);
}

void Race::cancel_others(const Ref<CancelRequest>& request) {
    TaskBase* own = current_task_of(running_core());
    for (Racer& racer : running_) {
        if (racer.task_.get() != own) racer.task_->cancel(request);
    }
}

void Race::one_is_done(Racer& racer, TaskBase& task) noexcept {
    racer.forget();
    if (!task.cancelled() && task.peek_exception()) {
        task.mark_retrieved();
        racer.task_ = Ref<TaskBase>(&task);
        unhandled_.push_back(racer);
    }
    if (waiter_ != nullptr && running_.empty()) waiter_->wake();
}

}  // namespace asyncio::detail
