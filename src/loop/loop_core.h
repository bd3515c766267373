#pragma once

#include "detail/fork_aware.h"
#include "loop/clocks.h"
#include "loop/posted_list.h"
#include "loop/sigint_watch.h"
#include "loop/signal_pipe.h"
#include "loop/timer_heap.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/loop/loop_resource.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <unordered_map>
#include <vector>

namespace asyncio::detail {

/// How many callbacks run between two looks at the clock and the file descriptors while there are callbacks to run.
/// As many as fit in some microseconds, so that slow callbacks do not keep timers and I/O waiting.
class PollBudget {
public:
    bool is_spent() const noexcept { return left_ <= 0; }
    void spend(int callbacks) noexcept { left_ -= callbacks; }
    void renew(TimePoint now) noexcept;
    void renew_each_pass() noexcept { every_pass_ = true; }
    void forget_idle_time(TimePoint now) noexcept { last_ = now; }

private:
    static constexpr int most = 64;
    static constexpr std::int64_t nanoseconds_between_polls = 50'000;
    int size_ = 1;
    int left_ = 0;
    bool every_pass_ = false;
    TimePoint last_ = {};
};

class GeneratorBase;
struct OpenGenerators;

/// The callbacks on one file descriptor.
struct FdWatch {
    Ref<HandleBase> reader;
    Ref<HandleBase> writer;
};

/// Everything of an event loop. Lives until the EventLoop and the last future of it are gone.
class LoopCore final : private ForkAware, public Pooled {
public:
    LoopCore(EventLoop& facade, const LoopOptions& options);
    ~LoopCore();
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }

    // What is ready, and time.
    void push_ready(ReadyNode& node) noexcept {
        drain_inbox();  // they came first
        ready_.push_back(node);
    }
    void push_ready(ReadyList& nodes) noexcept {
        drain_inbox();
        ready_.splice_back(nodes);
    }
    void add_timer(TimePoint when, TimerNode& node) { timers_.add(when.nanoseconds(), node); }
    void remove_timer(TimerNode& node) noexcept { timers_.remove(node); }
    TimePoint time() noexcept;
    TimePoint last_time() const noexcept { return now_; }

    // Life.
    void run_forever();
    void stop() noexcept { stopping_ = true; }
    void close();
    void destroy();  // by the EventLoop's destructor
    /// shutdown_asyncgens() and shutdown_default_executor(), if nobody could tell that no task did it.
    bool shut_down_at_once() noexcept;
    bool is_running() const noexcept { return running_; }
    bool is_closed() const noexcept { return closed_; }
    /// How many passes it has begun since virtual time last moved: the moment of an event, as tests compare it with
    /// CPython.
    std::uint64_t passes() const noexcept { return passes_; }
    void check_closed() const;
    void check_running() const;
    void check_may_call(HandleBase& handle) const;  // both; the handle does not survive a refusal
    void check_thread() const {                     // in debug mode, from another thread: throws
        if (debug) [[unlikely]]
            check_thread_now();
    }
    EventLoop& facade() const;

    // Callbacks.
    void add_ready_handle(HandleBase& handle) noexcept;
    void call_at(TimePoint when, TimedHandleBase& handle, ContextRef context);
    /// The context, or a copy of the current one.
    void set_context(HandleBase& handle, ContextRef context = {}) noexcept {
        if (context || context_ == nullptr) [[unlikely]] {
            handle.context_ = context ? ContextSlot::share(context.get()) : ContextSlot::copy_current();
        } else {
            handle.context_.begin_as_copy(**context_);
        }
    }
    void forget_handle(HandleBase& handle) noexcept;  // it was cancelled
    /// The handler runs in the context of the task or handle that `context` names, or in `slot`.
    void call_exception_handler(const ExceptionContext& context, ContextSlot* slot = nullptr);
    void report(const ExceptionContext& context) noexcept;  // the same where nothing may be thrown
    /// The same two for what `describe(context)` has yet to put into words: where memory lacks for them, the handler is
    /// told without.
    template <class Describe>
    void tell(ExceptionContext context, Describe&& describe, ContextSlot* slot = nullptr) {
        try {
            describe(context);
        } catch (const std::bad_alloc&) {
        }
        call_exception_handler(context, slot);
    }
    template <class Describe>
    void report(ExceptionContext context, Describe&& describe) noexcept {
        try {
            describe(context);
        } catch (const std::bad_alloc&) {
        }
        report(context);
    }
    void default_exception_handler(const ExceptionContext& context);

    // File descriptors and signals.
    void watch(int fd, bool for_writing, Ref<HandleBase> handle);
    bool unwatch(int fd, bool for_writing);
    void add_signal(int signum, Ref<HandleBase> handle);
    bool remove_signal(int signum);
    void set_sigint_watch(SigintWatch* watch, Function<void(int)> on_sigint);
    IoBackend& io() noexcept { return *io_; }
    /// Who has the descriptor for itself; null for nobody.
    void set_user(int fd, const LoopResource* user);
    /// Throws RuntimeError if somebody has.
    void check_has_no_user(int fd) const;
    /// Memory that is touched often, for what is received and handed on at once.
    static constexpr std::size_t receive_buffer_size = 256 * 1024;
    char* receive_buffer();
    /// Copies what is in that buffer into `data`. Where memory lacks `data` gets memory that was put by with the
    /// buffer: the kernel has given these bytes away.
    void take_received(std::string& data, std::size_t size) noexcept;

    // Threads.
    Inbox& inbox() noexcept { return *inbox_; }
    Executor& default_executor();
    void outside_work_begins() noexcept { ++outside_work_; }
    void outside_work_ends() noexcept { --outside_work_; }
    bool has_virtual_time() const noexcept { return virtual_time_; }
    /// In a forked child: it ran when the parent forked, and no other thread runs it here.
    bool was_running_at_fork() const noexcept { return was_running_at_fork_; }
    bool works_outside() noexcept;  // something that was begun will call back

    ContextSlot*& current_context() noexcept { return *context_; }

    TaskBase* current_task = nullptr;
    IntrusiveList<TaskBase, LiveTasks> live_tasks;
    IntrusiveList<ExecutorCall, PendingCalls> pending_calls;
    bool debug = false;
    std::shared_ptr<TaskFactory> task_factory;  // shared with a call under way, which may replace it
    std::shared_ptr<ExceptionHandler> exception_handler;
    int cancel_depth = 0;  // of gather() in gather()
    int eager_depth = 0;   // of tasks started inside each other
    bool destroying_futures = false;
    std::vector<FutureBase*> dying_futures;  // those that others held, to be destroyed without recursion
    Executor* executor = nullptr;
    std::shared_ptr<ThreadPoolExecutor> own_executor;  // shared by a thread that joins its threads
    bool executor_shutdown_called = false;
    IntrusiveList<GeneratorBase, OpenGenerators> generators;  // that have begun, in the order in which they did
    bool asyncgens_shutdown_called = false;
    IntrusiveList<LoopResource, LoopResources> resources;
    LoopResource* look_ups = nullptr;  // of names, by those who do them; one of the resources

    /// The KeyboardInterrupt or SystemExit that a task ended with: it leaves the loop once the task's step is over.
    std::exception_ptr fatal_error;
    void throw_fatal_error() {
        if (fatal_error) [[unlikely]]
            std::rethrow_exception(std::exchange(fatal_error, nullptr));
    }

    // The frames that the exception under way has passed through, innermost first.
    std::exception_ptr unwinding;
    std::vector<FramePlace> unwound;

private:
    friend class Inbox;
    friend void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context);
    friend void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context);

    void before_fork() noexcept override;
    void after_fork_in_parent() noexcept override;
    void after_fork_in_child() noexcept override;
    /// The child goes on with the loop inside which its parent forked.
    struct TakeOver : ReadyNode {
        explicit TakeOver(LoopCore& core) noexcept : ReadyNode(&TakeOver::take_over), loop(core) {}
        static void take_over(ReadyNode& node);
        LoopCore& loop;
    };

    void run_pass();
    void look_outside(bool idle);
    void wait_for_events(bool idle);
    void collect_due_timers() noexcept;
    /// What other threads have posted joins the ready queue.
    void drain_inbox() noexcept;
    void dispatch(const IoEvent& event);
    void stop_watching_again(int fd, const FdWatch& watch) noexcept;
    void add_ready_watch(int fd, bool for_writing, HandleBase& handle);
    bool drop_watch(int fd, bool for_writing);
    void signal_arrived(int signum);
    void check_sigint();
    void run_ready();
    void run_timed(ReadyNode& node);
    void callback_failed();
    void check_thread_now() const;
    ReadyNode& choose_ready(const ReadyNode& end);
    void drop_node(ReadyNode& node) noexcept;
    void drop_queued() noexcept;
    void drop_watches() noexcept;

    unsigned references_ = 1;
    std::uint64_t passes_ = 0;
    EventLoop* facade_;
    ReadyList ready_;
    TakeOver take_over_{*this};
    TimerHeap timers_;
    TimePoint now_ = {};
    PollBudget budget_;
    std::atomic<bool> running_ = false;
    bool stopping_ = false;
    bool closed_ = false;
    bool clock_may_jump_ = false;
    bool virtual_time_ = false;
    bool was_running_at_fork_ = false;
    int outside_work_ = 0;
    ContextSlot** context_ = nullptr;  // that of its thread while it runs

    MonotonicClock monotonic_clock_;
    std::unique_ptr<Clock> simulated_clock_;
    Clock* clock_ = &monotonic_clock_;
    std::unique_ptr<IoBackend> own_io_;
    IoBackend* io_;
    ReadyOrder* order_;
    Ref<Inbox> inbox_;
    PostedList* posted_;  // the inbox's
    std::vector<IoEvent> events_;
    std::unordered_map<int, FdWatch> watches_;
    std::vector<const LoopResource*> users_;  // by descriptor
    struct Received {
        char buffer[receive_buffer_size];
        std::string spare;  // room for as much, when there is no memory otherwise
    };
    std::unique_ptr<Received> received_;
    std::unique_ptr<SignalPipe> signals_;
    std::map<int, Ref<HandleBase>> signal_handles_;
    SigintWatch* sigint_ = nullptr;
    Function<void(int)> on_sigint_;
    int sigints_seen_ = 0;
};

/// What is behind an Inbox.
struct Inbox::State : Pooled {
    PostedList posted;         // closed with the loop
    std::mutex mutex;          // the loop, and its backend, must not go while they are used
    LoopCore* loop = nullptr;  // null: closed
};

inline void LoopCore::drain_inbox() noexcept {
    if (!posted_->empty()) [[unlikely]]
        posted_->move_to(ready_);
}

}  // namespace asyncio::detail
