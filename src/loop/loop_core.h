#pragma once

#include "loop/descriptor_watches.h"
#include "loop/loop_signals.h"
#include "loop/outside_work.h"
#include "loop/poll_budget.h"
#include "loop/posted_list.h"
#include "loop/ready_queue.h"
#include "loop/timers.h"

#include <asyncio/context/context.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/loop/loop_options.h>
#include <asyncio/loop/loop_resource.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

/// A loop that runs nodes: those that are ready, those whose moment has come, those that input and output or other
/// threads make ready. What the nodes are is for those who derive from it.
class LoopCore : public Pooled {
public:
    explicit LoopCore(const LoopOptions& options);
    LoopCore(const LoopCore&) = delete;
    LoopCore& operator=(const LoopCore&) = delete;
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }

    // What is ready, and time.
    void push_ready(ReadyNode& node) noexcept {
        drain_inbox();  // they came first
        ready_.push(node);
    }
    void push_ready(ReadyList& nodes) noexcept {
        drain_inbox();
        ready_.push(nodes);
    }
    void add_timer(TimePoint when, TimerNode& node) { timers_.add(when, node); }
    void remove_timer(TimerNode& node) noexcept { timers_.remove(node); }
    TimePoint time() noexcept { return timers_.now(); }
    TimePoint last_time() const noexcept { return timers_.last(); }

    // Life.
    virtual void run_forever();
    void stop() noexcept { stopping_ = true; }
    void close();
    bool is_running() const noexcept { return running_; }
    bool is_closed() const noexcept { return closed_; }
    /// How many passes it has begun since virtual time last moved: the moment of an event, as tests compare it with
    /// CPython.
    std::uint64_t passes() const noexcept { return passes_; }
    void check_closed() const;
    void check_running() const;
    void check_may_call(HandleBase& handle) const;  // both; the handle does not survive a refusal
    void check_thread() const;                      // in debug mode, from another thread: throws

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
    /// A callback has thrown what the loop does not let out.
    virtual void callback_failed(const std::string& message, HandleBase* handle) = 0;

    // Its parts.
    DescriptorWatches& descriptors() noexcept { return descriptors_; }
    LoopSignals& signals() noexcept { return signals_; }
    OutsideWork& outside() noexcept { return outside_; }
    IoBackend& io() noexcept { return *io_; }
    Inbox& inbox() noexcept { return *inbox_; }
    bool has_virtual_time() const noexcept { return timers_.is_virtual(); }
    IntrusiveList<LoopResource, LoopResources> resources;
    /// Memory that is touched often, for what is received and handed on at once.
    static constexpr std::size_t receive_buffer_size = 256 * 1024;
    char* receive_buffer();

    bool debug = false;

protected:
    virtual ~LoopCore();

    /// The same as `node.run()`, in debug mode.
    virtual void run_in_debug_mode(ReadyNode& node) = 0;
    /// What is queued will not run: whoever is behind the node gives it up.
    virtual void drop_node(ReadyNode& node) noexcept = 0;
    void drop_queued() noexcept;
    TimePoint read_clock() noexcept { return timers_.read_clock(); }
    /// Nothing is queued, watched, open or under way, and nothing of it was replaced.
    bool is_untouched() const noexcept;

private:
    friend class Inbox;
    friend void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context);
    friend void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context);

    void run_pass();
    void look_outside(bool idle);
    void wait_for_events(bool idle);
    void run_ready();
    void node_failed();
    /// What other threads have posted joins the ready queue.
    void drain_inbox() noexcept {
        if (!posted_->empty()) [[unlikely]]
            posted_->move_to(ready_.nodes());
    }

    unsigned references_ = 1;
    std::uint64_t passes_ = 0;
    ReadyQueue ready_;
    Timers timers_;
    PollBudget budget_;
    std::atomic<bool> running_ = false;
    bool stopping_ = false;
    bool closed_ = false;
    ContextSlot** context_ = nullptr;  // that of its thread while it runs

    std::unique_ptr<IoBackend> own_io_;
    IoBackend* io_;
    Ref<Inbox> inbox_;
    PostedList* posted_;  // the inbox's
    std::vector<IoEvent> events_;
    std::unique_ptr<char[]> receive_buffer_;
    DescriptorWatches descriptors_;
    LoopSignals signals_;
    OutsideWork outside_;
};

}  // namespace asyncio::detail
