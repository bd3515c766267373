#include "loop/loop_core.h"

#include "detail/probes.h"
#include "detail/threads.h"
#include "loop/choose_backend.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {

thread_local LoopCore* running_loop = nullptr;
thread_local LoopCore* loop_of_fork = nullptr;  // in a child: that in which it was forked, until it goes on

}  // namespace

LoopCore* running_core_or_null() noexcept { return running_loop; }

LoopCore& running_core() {
    LoopCore* loop = running_core_or_null();
    if (loop == nullptr) throw RuntimeError("no running event loop");
    return *loop;
}

LoopCore::LoopCore(const LoopOptions& options)
    : ready_(options.ready_order),
      timers_(options.clock),
      longest_watch_((TimePoint() + options.patience).nanoseconds()),
      on_deadlock_(options.on_deadlock),
      io_(options.io_backend.custom()),
      descriptors_(*this),
      signals_(*this),
      outside_(options.executor) {
    if (options.clock.custom() != nullptr) budget_.renew_each_pass();
    if (io_ == nullptr) {
        own_io_ = make_io_backend(options.io_backend.kind());
        io_ = own_io_.get();
    }
    inbox_ = Inbox::make(*this);
    posted_ = &inbox_->posted();
}

LoopCore::~LoopCore() = default;

// Life.

void LoopCore::check_closed() const {
    if (closed_) throw RuntimeError("Event loop is closed");
}

void LoopCore::check_running() const {
    if (running_) throw RuntimeError("This event loop is already running");
    if (running_core_or_null() != nullptr) {
        throw RuntimeError("Cannot run the event loop while another loop is running");
    }
}

bool LoopCore::is_wrong_thread() const noexcept {
    return running_ && running_core_or_null() != this && loop_of_fork != this;
}

void LoopCore::check_thread_now() const {
    if (is_wrong_thread()) throw_wrong_thread();
}

void LoopCore::throw_wrong_thread() {
    throw RuntimeError("Non-thread-safe operation invoked on an event loop other than the current one");
}

void LoopCore::log_wrong_thread(const char* what) noexcept {
    try {
        log(LogLevel::error, std::string("Non-thread-safe operation: ") + what);
    } catch (...) {  // no memory for a message
    }
}

// A pass. All of it is one function with the loop around it: where a pass runs a node or two, that is a third of it.

/// Runs what is ready now, which `end_of_pass` ends. What an exception leaves unrun (only KeyboardInterrupt and
/// SystemExit leave the loop) is still first in line.
[[gnu::always_inline]] inline void LoopCore::run_ready(ReadyNode& end_of_pass) {
    ready_.push(end_of_pass);
    int callbacks = 0;
    for (;; ++callbacks) {
        ReadyNode& node = ready_.take_next(end_of_pass);
        if (&node == &end_of_pass) break;
        try {
            if (is_watched_) [[unlikely]] {
                run_watched(node);
            } else {
                node.run();
            }
        } catch (...) {
            node_failed();
        }
    }
    budget_.spend(callbacks);
    steps_ += static_cast<unsigned>(callbacks);
}

[[gnu::always_inline]] inline void LoopCore::run_pass(ReadyNode& end_of_pass) {
    ++passes_;
    drain_inbox();
    bool idle = ready_.empty() && !stopping_;
    if (idle || budget_.is_spent()) look_outside(idle);
    if (timers_.is_first_due()) collect_due();
    run_ready(end_of_pass);
}

void LoopCore::run_until_stopped() {
    check_closed();
    check_running();
    class Running {
    public:
        explicit Running(LoopCore& loop) : loop_(loop) {
            loop_.context_ = &current_context_slot();
            loop_.base_context_ = *loop_.context_;
            loop_.thread_.store(thread_number(), std::memory_order_relaxed);
            loop_.running_ = true;
            running_loop = &loop_;
        }
        ~Running() {
            loop_.stopping_ = false;
            loop_.running_ = false;
            loop_.context_ = nullptr;
            running_loop = nullptr;
        }

    private:
        LoopCore& loop_;
    };
    Running running(*this);
    ReadyNode end_of_pass;
    do {
        run_pass(end_of_pass);
    } while (!stopping_);
}

void LoopCore::close() {
    if (running_) throw RuntimeError("Cannot close a running event loop");
    if (closed_) return;
    closed_ = true;
    inbox_->close(ready_.nodes());
    drop_queued();
    outside_.detach_calls();
    while (!resources.empty()) resources.front().loop_is_closing();
    while (!services_.empty()) services_.front().loop_is_closing();
    drop_queued();
    descriptors_.clear();
    signals_.clear();
    outside_.close_executor();
    own_io_.reset();  // operations of tasks that are still pending end with it
    io_ = nullptr;
}

void LoopCore::drop_all_queued() noexcept {
    while (!ready_.empty()) drop_node(ready_.front());
    while (!timers_.empty()) drop_node(timers_.pop_first());
}

// A forked child. Until the callback that forked returns to the loop, there is no running loop, as in Python, and the
// child may run one of its own. A loop that goes on in the child has its own epoll or ring there.

void LoopCore::before_fork() noexcept { inbox_->lock(); }
void LoopCore::after_fork_in_parent() noexcept { inbox_->unlock(); }

void LoopCore::after_fork_in_child() noexcept {
    inbox_->unlock();
    was_running_at_fork_ = running_;
    if (running_loop != this) return;
    running_loop = nullptr;
    loop_of_fork = this;
    ready_.push_before_all(take_over_);
}

void LoopCore::TakeOver::take_over(ReadyNode& node) {
    LoopCore& loop = static_cast<TakeOver&>(node).loop;
    loop.thread_ = thread_number();
    loop_of_fork = nullptr;
    if (running_loop == nullptr) running_loop = &loop;
}

// What is outside.

void LoopCore::look_outside(bool idle) {
    events_.clear();
    ASYNCIO_PROBE2(poll__begin, this, idle);
    try {
        wait_for_events(idle);
    } catch (...) {  // what a backend has named before is not named again
        tell_events();
        throw;
    }
    ASYNCIO_PROBE2(poll__end, this, events_.size());
    drain_inbox();
    tell_events();
    TimePoint now = time();
    if (idle) budget_.forget_idle_time(now);
    budget_.renew(now);
    if (signals_.has_sigint_watch()) signals_.tell_sigint();
}

void LoopCore::tell_events() {
    for (const IoEvent& event : events_) {
        if (event.operation != nullptr) {
            push_ready(*event.operation);
        } else {
            descriptors_.dispatch(event);
        }
    }
}

void LoopCore::wait_for_events(bool idle) {
    using std::chrono::nanoseconds;
    if (!idle) return io_->wait(nanoseconds(0), events_);
    if (timers_.empty()) return wait_for_ever();
    std::int64_t first = timers_.first_when();
    std::int64_t now = time().nanoseconds();
    if (first <= now) return io_->wait(nanoseconds(0), events_);
    if (timers_.may_jump() && !outside_.goes_on()) {
        io_->wait(nanoseconds(0), events_);
        if (something_has_come()) return;
        if (timers_.jump_to_first()) {
            passes_ = 1;
            return;
        }
    } else if (timers_.is_virtual()) {
        return io_->wait(std::nullopt, events_);  // what is under way outside comes first, however long it takes
    }
    constexpr std::int64_t longest = 24LL * 3600 * 1'000'000'000;
    sleep(nanoseconds(std::min(first - now, longest)));
}

/// Until something happens, or that long. What a thread posts at once, in answer to what it was given, finds it awake.
void LoopCore::sleep(std::optional<std::chrono::nanoseconds> limit) {
    bool may_watch = longest_watch_.count() > 0 && (!limit || *limit > longest_watch_) && !timers_.may_jump();
    if (may_watch) {
        const PostedList& posted = inbox_->posted();
        patience_.watch(longest_watch_, [&] { return !posted.empty(); });
        if (!posted.empty()) limit = std::chrono::nanoseconds(0);
    }
    io_->wait(limit, events_);
}

/// Neither descriptor, transport nor signal, nor a call or operation outside that goes on.
bool LoopCore::only_threads_can_wake() noexcept {
    return resources.empty() && descriptors_.empty() && !signals_.has_handlers() && !outside_.goes_on();
}

/// Where nothing but another thread can wake it, it looks whether one is left that could: at once, and then again and
/// again, each time after twice as long, for a thread may go idle, or end, when the loop has slept for long.
void LoopCore::wait_for_ever() {
    using std::chrono::seconds;
    constexpr seconds longest(24 * 3600);
    bool is_stuck = on_deadlock_ != OnDeadlock::ignore && own_io_ && only_threads_can_wake();
    bool is_proven = is_stuck && is_only_thread();  // if not, another may be just about to wake it
    for (seconds patience(1); is_stuck && !is_proven; patience = std::min(2 * patience, longest)) {
        auto begun = std::chrono::steady_clock::now();
        sleep(patience);
        is_proven = is_only_thread();
        // A late wake-up, for what was seen already, may have cut it short.
        bool was_cut_short = std::chrono::steady_clock::now() - begun < patience;
        if (something_has_come() || (was_cut_short && !is_proven)) return;
        if (is_proven) break;
        nothing_can_come(false);
        if (was_given_something()) return;
    }
    if (is_proven) {
        if (something_has_come()) return;
        nothing_can_come(true);
        if (was_given_something()) return;
    }
    sleep(std::nullopt);
}

/// Whether who was told of a deadlock has cancelled or scheduled something, or stopped the loop.
bool LoopCore::was_given_something() const noexcept {
    return something_has_come() || !ready_.empty() || !timers_.empty() || stopping_;
}

bool LoopCore::something_has_come() const noexcept {
    return !events_.empty() || !inbox_->posted().empty() || signals_.sigint_is_due();
}

// Who looks on.

void LoopCore::note_watchers() noexcept {
    is_watched_ = debug_ || instrument_ != nullptr;
    posted_ = instrument_ != nullptr ? &PostedList::never_empty() : &inbox_->posted();
}

void LoopCore::run_watched(ReadyNode& node) {
    if (instrument_ == nullptr) return run_in_debug_mode(node);
    run_with_instrument(node);
}

void LoopCore::run_with_instrument(ReadyNode& node) {
    class Step {
    public:
        Step(LoopCore& loop, ReadyNode& node) : loop_(loop), instrument_(loop.instrument_) {
            instrument_->before_step(node);
        }
        ~Step() {
            if (instrument_ == loop_.instrument_) instrument_->after_step();
        }

    private:
        LoopCore& loop_;
        Instrument* instrument_;
    };
    Step step(*this, node);
    if (debug_) {
        run_in_debug_mode(node);
    } else {
        node.run();
    }
}

void LoopCore::tell_made_ready(ReadyList& nodes) noexcept {
    for (ReadyNode& node : nodes) instrument_->made_ready(node);
}

void LoopCore::push_behind_posted(ReadyNode& node) noexcept {
    take_posted();
    if (instrument_ != nullptr) instrument_->made_ready(node);
    ready_.push(node);
}

void LoopCore::push_behind_posted(ReadyList& nodes) noexcept {
    take_posted();
    if (instrument_ != nullptr) tell_made_ready(nodes);
    ready_.push(nodes);
}

void LoopCore::take_posted() noexcept {
    PostedList& posted = inbox_->posted();
    if (instrument_ == nullptr) [[likely]]
        return posted.move_to(ready_.nodes());
    ReadyList nodes;
    posted.move_to(nodes);
    tell_made_ready(nodes);
    ready_.push(nodes);
}

void LoopCore::collect_due() noexcept {
    if (instrument_ == nullptr) [[likely]]
        return timers_.collect_due(ready_.nodes());
    ReadyList nodes;
    while (timers_.is_first_due()) {
        bool was_past = timers_.was_first_past();
        TimePoint when = TimePoint::from_nanoseconds(timers_.first_when());
        ReadyNode& node = timers_.pop_first();
        nodes.push_back(node);
        was_past ? instrument_->made_ready(node) : instrument_->became_due(node, when);
    }
    ready_.push(nodes);
}

// What the floors above are given of a loop that they know by name only.

void set_instrument(LoopCore& loop, Instrument* instrument) noexcept { loop.set_instrument(instrument); }
void schedule(LoopCore& loop, ReadyNode& node) noexcept { loop.push_ready(node); }
void schedule_at(LoopCore& loop, TimePoint when, TimerNode& node) { loop.add_timer(when, node); }
void unschedule(LoopCore& loop, TimerNode& node) noexcept { loop.remove_timer(node); }
TimePoint time_of(LoopCore& loop) noexcept { return loop.time(); }
TimePoint last_time_of(LoopCore& loop) noexcept { return loop.last_time(); }
void outside_work_begins(LoopCore& loop) noexcept { loop.outside().begins(); }
void outside_work_ends(LoopCore& loop) noexcept { loop.outside().ends(); }
Ref<Inbox> inbox_of(LoopCore& loop) noexcept { return Ref<Inbox>(&loop.inbox()); }

void check_open(LoopCore& loop) {
    loop.check_closed();
    loop.check_thread();
}

}  // namespace asyncio::detail
