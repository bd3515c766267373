#pragma once

#include "detail/fork_aware.h"
#include "detail/patience.h"
#include "loop/descriptor_watches.h"
#include "loop/loop_service.h"
#include "loop/loop_signals.h"
#include "loop/outside_work.h"
#include "loop/poll_budget.h"
#include "loop/posted_list.h"
#include "loop/ready_queue.h"
#include "loop/receive_buffer.h"
#include "loop/timers.h"

#include <asyncio/context/context.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/loop/instrument.h>
#include <asyncio/loop/loop_options.h>
#include <asyncio/loop/loop_resource.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace asyncio::detail {

/// A loop that runs nodes: those that are ready, those whose moment has come, those that input and output or other
/// threads make ready. What the nodes are is for who derives from it.
class LoopCore : protected ForkAware, public Pooled {
public:
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }

    // What is ready, and time.
    void push_ready(ReadyNode& node) noexcept {
        if (!posted_->empty()) [[unlikely]]
            return push_behind_posted(node);
        ready_.push(node);
    }
    void push_ready(ReadyList& nodes) noexcept {
        if (!posted_->empty()) [[unlikely]]
            return push_behind_posted(nodes);
        ready_.push(nodes);
    }
    void add_timer(TimePoint when, TimerNode& node) { timers_.add(when, node); }
    void remove_timer(TimerNode& node) noexcept { timers_.remove(node); }
    TimePoint when_of(const TimerNode& node) const noexcept { return timers_.when(node); }  // of one that waits
    TimePoint time() noexcept { return timers_.now(); }
    TimePoint last_time() const noexcept { return timers_.last(); }
    TimePoint read_clock() noexcept { return timers_.read_clock(); }  // and due timers know nothing of it
    bool has_system_clock() const noexcept { return !timers_.may_jump(); }

    // Life.
    void stop() noexcept { stopping_ = true; }
    void close();
    bool is_running() const noexcept { return running_; }
    /// The system's number of the thread in which it runs, or ran last.
    int thread() const noexcept { return thread_.load(std::memory_order_relaxed); }
    bool is_closed() const noexcept { return closed_; }
    /// In a forked child: it ran when the parent forked, and no other thread runs it here.
    bool was_running_at_fork() const noexcept { return was_running_at_fork_; }
    /// How many passes it has begun since virtual time last moved: the moment of an event, as tests compare it with
    /// CPython.
    std::uint64_t passes() const noexcept { return passes_; }
    /// How many nodes it has run.
    std::uint64_t steps() const noexcept { return steps_; }
    ReadyList& ready_nodes() noexcept { return ready_.nodes(); }
    std::size_t count_timers() const noexcept { return timers_.count(); }
    /// Those that wait for their moment, in no order. Those whose moment has come are among `ready_nodes()`.
    template <class F>
    void for_each_timer(F&& call) const {
        timers_.for_each(call);
    }
    void check_closed() const;
    void check_running() const;
    void check_may_call(HandleBase& handle) const;  // both; the handle does not survive a refusal
    void check_thread() const {                     // in debug mode, from another thread: throws
        if (debug_) [[unlikely]]
            check_thread_now();
    }
    /// The same for what cannot throw: it is logged what was done.
    void note_thread(const char* what) const noexcept {
        if (debug_ && is_wrong_thread()) [[unlikely]]
            log_wrong_thread(what);
    }

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
    ContextSlot*& current_context() noexcept { return *context_; }
    /// That of whoever runs the loop: the current one between the steps.
    ContextSlot* base_context() const noexcept { return base_context_; }

    // What the exception under way is told as, by those who know whom to tell.
    virtual void callback_failed(HandleBase& handle) = 0;
    /// No memory to let it run once more.
    virtual void callback_lost(Ref<HandleBase> handle) noexcept = 0;

    // Its parts.
    DescriptorWatches& descriptors() noexcept { return descriptors_; }
    LoopSignals& signals() noexcept { return signals_; }
    OutsideWork& outside() noexcept { return outside_; }
    ReceiveBuffer& receive_buffer() noexcept { return receive_buffer_; }
    IoBackend& io() noexcept { return *io_; }
    Inbox& inbox() noexcept { return *inbox_; }
    bool has_virtual_time() const noexcept { return timers_.is_virtual(); }
    IntrusiveList<LoopResource, LoopResources> resources;
    /// The one of this kind, which is made when it is first asked for and ends with the loop.
    template <class Service>
    Service& service() {
        for (LoopService& known : services_) {
            if (known.kind() == Service::service_kind) return static_cast<Service&>(known);
        }
        auto* fresh = new Service(*this);
        services_.push_back(*fresh);
        return *fresh;
    }

    /// True if a service has given one up, which is closed by the next pass.
    bool gives_up_a_descriptor() noexcept {
        for (LoopService& service : services_) {
            if (service.gives_up_a_descriptor()) return true;
        }
        return false;
    }

    // Who looks on. While nobody does a step pays one branch for it.
    bool debug() const noexcept { return debug_; }
    void set_debug(bool enabled) noexcept {
        debug_ = enabled;
        note_watchers();
    }
    void set_instrument(Instrument* instrument) noexcept {
        instrument_ = instrument;
        note_watchers();
    }

protected:
    /// Who derives from it begins and ends to follow forks, when it is whole.
    explicit LoopCore(const LoopOptions& options);
    virtual ~LoopCore();
    void after_fork_in_child() noexcept override;

    void run_until_stopped();
    /// The same as `node.run()`, in debug mode.
    virtual void run_in_debug_mode(ReadyNode& node) = 0;
    /// A node has thrown that is no callback of a user. As `callback_failed()`.
    virtual void node_failed() = 0;
    /// It is about to wait for ever, and nothing that it knows of can end that. `is_proven`: nor can anything else, for
    /// there is no other thread. What this throws leaves the loop.
    virtual void nothing_can_come(bool is_proven) = 0;
    OnDeadlock on_deadlock() const noexcept { return on_deadlock_; }
    /// What is queued will not run: whoever is behind the node gives it up.
    virtual void drop_node(ReadyNode& node) noexcept = 0;
    void drop_queued() noexcept {
        if (!ready_.empty() || !timers_.empty()) drop_all_queued();
    }
    /// Nothing is queued, watched, open or under way, and nothing of it was replaced.
    bool is_untouched() const noexcept {
        bool nothing_is_left = ready_.empty() && timers_.empty() && descriptors_.empty() && resources.empty() &&
                               services_.empty() && outside_.is_untouched() && posted_->empty();
        return nothing_is_left && !ready_.has_own_order() && own_io_ && !timers_.may_jump();
    }

private:
    friend class AllLoops;
    friend struct InspectLayout;
    friend void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context);
    friend void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context);

    void before_fork() noexcept override;
    void after_fork_in_parent() noexcept override;
    /// The child goes on with the loop inside which its parent forked.
    struct TakeOver : ReadyNode {
        explicit TakeOver(LoopCore& core) noexcept : ReadyNode(&TakeOver::take_over), loop(core) {}
        static void take_over(ReadyNode& node);
        LoopCore& loop;
    };

    void check_thread_now() const;
    [[noreturn]] static void throw_wrong_thread();
    [[noreturn]] void refuse_call(HandleBase& handle) const;
    bool is_wrong_thread() const noexcept;
    static void log_wrong_thread(const char* what) noexcept;
    void drop_all_queued() noexcept;
    void run_pass(ReadyNode& end_of_pass);
    void look_outside(bool idle);
    void tell_events();
    void wait_for_events(bool idle);
    void sleep(std::optional<std::chrono::nanoseconds> limit);
    void wait_for_ever();
    bool something_has_come() const noexcept;
    bool was_given_something() const noexcept;
    bool only_threads_can_wake() noexcept;
    void run_ready(ReadyNode& end_of_pass);
    void run_watched(ReadyNode& node);
    void run_with_instrument(ReadyNode& node);
    void note_watchers() noexcept;
    void collect_due() noexcept;
    void tell_made_ready(ReadyList& nodes) noexcept;
    // What is posted came first; and somebody wants to be told.
    void push_behind_posted(ReadyNode& node) noexcept;
    void push_behind_posted(ReadyList& nodes) noexcept;
    void take_posted() noexcept;
    /// What other threads have posted joins the ready queue.
    void drain_inbox() noexcept {
        if (!posted_->empty()) [[unlikely]]
            take_posted();
    }

    LoopCore* next_loop_ = nullptr;  // of AllLoops
    LoopCore* previous_loop_ = nullptr;
    unsigned references_ = 1;
    std::atomic<int> thread_ = 0;  // who runs it, or did last: for who looks from outside
    std::uint64_t passes_ = 0;
    std::uint64_t steps_ = 0;
    ReadyQueue ready_;
    TakeOver take_over_{*this};
    Timers timers_;
    PollBudget budget_;
    Patience patience_;
    std::chrono::nanoseconds longest_watch_;
    std::atomic<bool> running_ = false;
    bool stopping_ = false;
    bool closed_ = false;
    bool was_running_at_fork_ = false;
    bool debug_ = false;
    bool is_watched_ = false;  // in debug mode or by an instrument
    OnDeadlock on_deadlock_;
    ContextSlot** context_ = nullptr;  // that of its thread while it runs
    ContextSlot* base_context_ = nullptr;

    std::unique_ptr<IoBackend> own_io_;
    IoBackend* io_;
    Ref<Inbox> inbox_;
    PostedList* posted_;  // the inbox's; one that is never empty while an instrument is to be told
    Instrument* instrument_ = nullptr;
    std::vector<IoEvent> events_;
    ReceiveBuffer receive_buffer_;
    DescriptorWatches descriptors_;
    LoopSignals signals_;
    OutsideWork outside_;
    IntrusiveList<LoopService, LoopServices> services_;
};

}  // namespace asyncio::detail
