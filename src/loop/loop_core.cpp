#include "loop/loop_core.h"

#include "loop/choose_backend.h"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {

thread_local LoopCore* running_loop = nullptr;

}  // namespace

LoopCore* running_core_or_null() noexcept { return running_loop; }

LoopCore& running_core() {
    LoopCore* loop = running_core_or_null();
    if (loop == nullptr) throw RuntimeError("no running event loop");
    return *loop;
}

void PollBudget::renew(TimePoint now) noexcept {
    if (every_pass_) {
        left_ = 1;
        return;
    }
    std::int64_t elapsed = (now.nanoseconds() - last_.nanoseconds());
    std::int64_t spent = std::max(1, size_ - left_);
    std::int64_t fitting = spent * nanoseconds_between_polls / std::max<std::int64_t>(elapsed, 1);
    size_ = static_cast<int>(std::clamp<std::int64_t>(fitting, 1, std::min(most, size_ * 2)));
    left_ = size_;
    last_ = now;
}

LoopCore::LoopCore(EventLoop& facade, const LoopOptions& options)
    : executor(options.executor), facade_(&facade), order_(options.ready_order) {
    if (options.clock.custom() != nullptr) {
        clock_ = options.clock.custom();
        clock_may_jump_ = true;
        budget_.renew_each_pass();
    } else if (options.clock.is_virtual()) {
        simulated_clock_ = std::make_unique<SimulatedClock>(options.clock.start());
        clock_may_jump_ = virtual_time_ = true;
        clock_ = simulated_clock_.get();
    }
    io_ = options.io_backend.custom();
    if (io_ == nullptr) {
        own_io_ = make_io_backend(options.io_backend.kind());
        io_ = own_io_.get();
    }
    inbox_ = Ref<Inbox>::adopt(new Inbox());
    inbox_->state_->loop = this;
    posted_ = &inbox_->state_->posted;
    begin_to_follow_forks();
}

LoopCore::~LoopCore() { end_to_follow_forks(); }

EventLoop& LoopCore::facade() const {
    if (facade_ == nullptr) throw RuntimeError("the event loop was destroyed");
    return *facade_;
}

TimePoint LoopCore::time() noexcept {
    TimePoint now = clock_->now();
    if (now > now_) now_ = now;
    return now;
}

void LoopCore::check_closed() const {
    if (closed_) throw RuntimeError("Event loop is closed");
}

void LoopCore::check_running() const {
    if (running_) throw RuntimeError("This event loop is already running");
    if (running_core_or_null() != nullptr) {
        throw RuntimeError("Cannot run the event loop while another loop is running");
    }
}

void LoopCore::check_thread_now() const {
    if (!running_ || running_core_or_null() == this) return;
    throw RuntimeError("Non-thread-safe operation invoked on an event loop other than the current one");
}

void LoopCore::run_forever() {
    check_closed();
    check_running();
    class Running {
    public:
        explicit Running(LoopCore& loop) : loop_(loop), outer_children_(nested_children) {
            loop_.context_ = &current_context_slot();
            auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
            nested_children = {.stack_end = here - NestedChildren::most_bytes};
            loop_.running_ = true;
            running_loop = &loop_;
        }
        ~Running() {
            loop_.stopping_ = false;
            loop_.running_ = false;
            loop_.context_ = nullptr;
            running_loop = nullptr;
            nested_children = outer_children_;
        }

    private:
        LoopCore& loop_;
        NestedChildren outer_children_;
    };
    Running running(*this);
    do {
        run_pass();
    } while (!stopping_);
}

// A forked child. Until the callback that forked returns to the loop, there is no running loop, as in Python, and the
// child may run one of its own. A loop that goes on in the child has its own epoll or ring there.

void LoopCore::before_fork() noexcept { inbox_->state_->mutex.lock(); }
void LoopCore::after_fork_in_parent() noexcept { inbox_->state_->mutex.unlock(); }

void LoopCore::after_fork_in_child() noexcept {
    inbox_->state_->mutex.unlock();
    was_running_at_fork_ = running_;
    if (running_loop != this) return;
    running_loop = nullptr;
    current_task = nullptr;
    if (!take_over_.is_linked()) ready_.push_front(take_over_);
}

void LoopCore::TakeOver::take_over(ReadyNode& node) {
    if (running_loop == nullptr) running_loop = &static_cast<TakeOver&>(node).loop;
}

void LoopCore::run_pass() {
    ++passes_;
    drain_inbox();
    bool idle = ready_.empty() && !stopping_;
    if (idle || budget_.is_spent()) look_outside(idle);
    if (!timers_.empty()) collect_due_timers();
    run_ready();
}

void LoopCore::look_outside(bool idle) {
    events_.clear();
    wait_for_events(idle);
    drain_inbox();
    for (const IoEvent& event : events_) dispatch(event);
    TimePoint now = time();
    if (idle) budget_.forget_idle_time(now);
    budget_.renew(now);
    if (sigint_ != nullptr) check_sigint();
}

void LoopCore::wait_for_events(bool idle) {
    using std::chrono::nanoseconds;
    if (!idle) return io_->wait(nanoseconds(0), events_);
    if (timers_.empty()) return io_->wait(std::nullopt, events_);
    std::int64_t first = timers_.first_when();
    std::int64_t now = time().nanoseconds();
    if (first <= now) return io_->wait(nanoseconds(0), events_);
    if (clock_may_jump_ && !works_outside()) {
        io_->wait(nanoseconds(0), events_);
        bool something =
            !events_.empty() || !posted_->empty() || (sigint_ != nullptr && sigint_->count() != sigints_seen_);
        if (something) return;
        if (clock_->jump_to(TimePoint::from_nanoseconds(first))) {
            passes_ = 1;
            return;
        }
    } else if (virtual_time_) {
        return io_->wait(std::nullopt, events_);  // what is under way outside comes first, however long it takes
    }
    constexpr std::int64_t longest = 24LL * 3600 * 1'000'000'000;
    io_->wait(nanoseconds(std::min(first - now, longest)), events_);
}

void LoopCore::collect_due_timers() noexcept {
    while (!timers_.empty() && timers_.first_when() <= now_.nanoseconds()) ready_.push_back(timers_.pop_first());
}

void LoopCore::run_ready() {
    // Up to here in this pass. What an exception leaves unrun (only KeyboardInterrupt and SystemExit leave the loop) is
    // still first in line.
    ReadyNode end_of_pass;
    ready_.push_back(end_of_pass);
    int callbacks = 0;
    for (;; ++callbacks) {
        ReadyNode& node = order_ == nullptr ? ready_.pop_front() : choose_ready(end_of_pass);
        if (&node == &end_of_pass) break;
        try {
            if (debug) [[unlikely]] {
                run_timed(node);
            } else {
                node.run();
            }
        } catch (...) {
            callback_failed();
        }
    }
    budget_.spend(callbacks);
}

/// A callback of the library itself; those of users tell what they are themselves.
void LoopCore::callback_failed() {
    if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    tell({.exception = std::current_exception()},
         [](ExceptionContext& context) { context.message = "Exception in a callback of the library"; });
}

/// One of those before `end`, which comes last.
ReadyNode& LoopCore::choose_ready(const ReadyNode& end) {
    if (take_over_.is_linked()) return ready_.pop_front();
    std::size_t count = 0;
    for (auto node = ready_.begin(); &*node != &end; ++node) ++count;
    if (count == 0) return ready_.pop_front();
    std::size_t choice = order_->choose(count);
    if (choice >= count) throw ValueError("ReadyOrder::choose() must return less than the count it was given");
    auto chosen = ready_.begin();
    for (; choice > 0; --choice) ++chosen;
    ReadyNode& node = *chosen;
    node.unlink();
    return node;
}

void LoopCore::check_sigint() {
    int count = sigint_->count();
    while (sigints_seen_ < count) on_sigint_(++sigints_seen_);
    sigint_->acknowledge(sigints_seen_);
}

void LoopCore::set_sigint_watch(SigintWatch* watch, Function<void(int)> on_sigint) {
    sigint_ = watch;
    on_sigint_ = std::move(on_sigint);
    sigints_seen_ = 0;
}

void LoopCore::drop_node(ReadyNode& node) noexcept {
    node.unlink();
    if (node.run_function() == &HandleBase::run_handle) {
        static_cast<HandleBase&>(node).drop_unrun();
    } else if (node.run_function() == &DoneCallback::run_callback) {
        delete static_cast<DoneCallback*>(&node);
    } else if (node.run_function() == &ForeignOperation::deliver) {
        static_cast<ForeignOperation&>(node).dec_ref();
    } else if (node.run_function() == &Message::run_message) {
        delete &static_cast<Message&>(node);
    }
}

void LoopCore::drop_queued() noexcept {
    while (!ready_.empty()) drop_node(ready_.front());
    while (!timers_.empty()) drop_node(timers_.pop_first());
}

/// Emptied aside: what the callbacks hold may come back here as it dies.
void LoopCore::drop_watches() noexcept {
    if (watches_.empty() && signal_handles_.empty()) return;
    auto drop = [](Ref<HandleBase>& handle) {
        if (handle) handle.release()->drop_unrun();
    };
    for (auto& [fd, watch] : std::exchange(watches_, {})) {
        drop(watch.reader);
        drop(watch.writer);
    }
    for (auto& [signum, handle] : std::exchange(signal_handles_, {})) drop(handle);
}

void LoopCore::close() {
    if (running_) throw RuntimeError("Cannot close a running event loop");
    if (closed_) return;
    closed_ = true;
    inbox_->close(ready_);
    drop_queued();
    while (!pending_calls.empty()) pending_calls.front().detach();
    while (!resources.empty()) resources.front().loop_is_closing();
    drop_queued();
    drop_watches();
    signals_.reset();
    executor_shutdown_called = true;
    if (Executor* former = std::exchange(executor, nullptr)) former->shutdown(false);
    own_io_.reset();  // operations of tasks that are still pending end with it
    io_ = nullptr;
}

bool LoopCore::shut_down_at_once() noexcept {
    bool nothing_is_left = ready_.empty() && timers_.empty() && live_tasks.empty() && watches_.empty() &&
                           resources.empty() && pending_calls.empty() && generators.empty() && outside_work_ == 0 &&
                           executor == nullptr && posted_->empty();
    bool nobody_looks_on = !debug && !task_factory && order_ == nullptr && own_io_ && !clock_may_jump_;
    if (!nothing_is_left || !nobody_looks_on) return false;
    asyncgens_shutdown_called = executor_shutdown_called = true;
    TaskName number;  // of each of the tasks that would have done it
    number.assign_number();
    number.assign_number();
    return true;
}

void LoopCore::destroy() {
    if (running_ && was_running_at_fork_) {  // what its thread was in the middle of stands still for ever
        facade_ = nullptr;
        return;
    }
    close();
    for (TaskBase& task : live_tasks) task.report_abandoned();
    // The newest first: what a task was given when it was made is older than it, and lies in the frames of older tasks.
    while (!live_tasks.empty()) live_tasks.back().abandon();
    drop_queued();
    task_factory = nullptr;
    exception_handler = nullptr;
    own_executor.reset();
    facade_ = nullptr;
    dec_ref();
}

char* LoopCore::receive_buffer() {
    if (!received_) {
        std::unique_ptr<Received> fresh(new Received);
        fresh->spare.reserve(receive_buffer_size);
        received_ = std::move(fresh);
    }
    return received_->buffer;
}

void LoopCore::take_received(std::string& data, std::size_t size) noexcept {
    try {
        data.assign(received_->buffer, size);
    } catch (const std::bad_alloc&) {
        data = std::move(received_->spare);
        data.assign(received_->buffer, size);
        received_.reset();  // the next who receives needs memory for both, before the kernel is asked
    }
}

Executor& LoopCore::default_executor() {
    if (executor_shutdown_called) throw RuntimeError("Executor shutdown has been called");
    if (executor == nullptr) {
        own_executor = std::make_shared<ThreadPoolExecutor>();
        executor = own_executor.get();
    }
    return *executor;
}

// What the parts of the library that lie above the core are given of a loop.

void schedule(LoopCore& loop, ReadyNode& node) noexcept { loop.push_ready(node); }
void schedule_at(LoopCore& loop, TimePoint when, TimerNode& node) { loop.add_timer(when, node); }
void unschedule(LoopCore& loop, TimerNode& node) noexcept { loop.remove_timer(node); }
TimePoint time_of(LoopCore& loop) noexcept { return loop.time(); }
TimePoint last_time_of(LoopCore& loop) noexcept { return loop.last_time(); }
TaskBase* current_task_of(LoopCore& loop) noexcept { return loop.current_task; }
void outside_work_begins(LoopCore& loop) noexcept { loop.outside_work_begins(); }
void outside_work_ends(LoopCore& loop) noexcept { loop.outside_work_ends(); }
Ref<Inbox> inbox_of(LoopCore& loop) noexcept { return Ref<Inbox>(&loop.inbox()); }

void check_open(LoopCore& loop) {
    loop.check_closed();
    loop.check_thread();
}

}  // namespace asyncio::detail
