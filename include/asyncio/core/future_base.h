#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/loop/scheduling.h>

#include <cstdint>
#include <exception>
#include <string>
#include <typeinfo>

namespace asyncio::detail {

class DoneCallback;
class TaskBase;

/// What all handles of one future share, whatever its result type: state, callbacks, exception.
/// Belongs to one loop and its thread; the count is not atomic.
class FutureBase : public Pooled {
public:
    enum class State : std::uint8_t { pending, finished, cancelled };
    enum class Kind : std::uint8_t { future, task, gathering };

    FutureBase(const FutureBase&) = delete;
    FutureBase& operator=(const FutureBase&) = delete;

    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ < 0) handle_goes();
    }

    /// The same for whoever is in the loop's thread for sure: debug mode need not ask.
    void dec_ref_in_its_thread() noexcept {
        if (--references_ == (looks_at_thread_ ? INT32_MIN : -1)) handle_goes();
    }

    LoopCore& loop() const noexcept { return *loop_; }
    Kind kind() const noexcept { return kind_; }
    State state() const noexcept { return state_; }
    bool done() const noexcept { return state_ != State::pending; }
    bool cancelled() const noexcept { return state_ == State::cancelled; }

    /// Python: Future.cancel(). A null request is one without a message.
    virtual bool cancel(const Ref<CancelRequest>& request);
    /// Throws what Future.result() raises, and counts the exception as retrieved. Returns if there is a result.
    void check_result() {
        if (state_ == State::finished && !exception_) [[likely]]
            return;
        std::rethrow_exception(take_error());
    }
    /// What check_result() throws.
    std::exception_ptr take_error();
    /// Python: Future.exception().
    std::exception_ptr exception();
    /// Python: Future.set_exception(). Throws InvalidStateError, or RuntimeError for a task.
    void set_exception(std::exception_ptr exception);
    void check_settable(const char* operation) const;  // throws what set_result() and set_exception() raise
    void finish() noexcept;                            // the result is in place: state, callbacks

    /// The node is scheduled when the future is done; at once if it is. Whoever gave it keeps the future alive.
    void add_node(ReadyNode& node) noexcept;
    void add_first_node(ReadyNode& node) noexcept { callbacks_.push(node); }  // of one that has not begun
    void add_done_callback(DoneCallback& callback);                           // takes it over
    /// The callback, which is taken over, runs in the turn of the node, which is in the list or the queue.
    void replace_node(ReadyNode& node, DoneCallback& callback) noexcept;
    std::size_t remove_done_callback(std::uint64_t id);

    /// Whether it ended by a CancelledError, as its own cancellation or as an exception that was set.
    bool ended_cancelled() const noexcept;
    /// The error that result() would throw for a cancelled one; a task hands out its original once.
    std::exception_ptr make_cancelled_error();
    /// The message of the cancellation, as gather() copies it.
    const Ref<CancelRequest>& cancel_request() const noexcept { return cancel_request_; }
    /// The exception, or null, without counting it as retrieved.
    const std::exception_ptr& peek_exception() const noexcept { return exception_; }
    void mark_retrieved() noexcept { unretrieved_ = false; }
    bool is_unretrieved() const noexcept { return unretrieved_; }
    /// The same, also for an exception that it will have.
    void forget_exception() noexcept {
        unretrieved_ = false;
        is_forgotten_ = true;
    }

    virtual const std::type_info& result_type() const noexcept = 0;
    virtual std::string result_repr() const = 0;
    bool has_callbacks() const noexcept { return !callbacks_.empty(); }
    const IntrusiveStack<ReadyNode>& callbacks() const noexcept { return callbacks_; }
    std::size_t count_callbacks() const noexcept;

protected:
    friend struct InspectLayout;
    FutureBase(LoopCore& loop, Kind kind) noexcept;
    /// A task; it counts itself among those that keep the loop.
    explicit FutureBase(LoopCore& loop) noexcept : kind_(Kind::task), loop_(&loop) {}
    virtual ~FutureBase();

    /// The last handle is gone. True: whatever still has to end it keeps it alive from now on. Asked only of one that
    /// has set `outlives_handles_`.
    virtual bool outlive_handles() noexcept { return false; }
    /// It is done. Told to one of kind `gathering` only.
    virtual void on_done() noexcept {}
    void become_cancelled(const Ref<CancelRequest>& request) noexcept;
    void become_failed(std::exception_ptr exception) noexcept;
    void look_at_thread() noexcept {  // of whoever lets go of a handle
        looks_at_thread_ = true;
        references_ = INT32_MIN;
    }
    void drop_callbacks() noexcept;  // none of them will ever run
    void schedule_callbacks() noexcept;

    // How many handles there are, less one: below zero there is none. In debug mode it counts from the smallest number,
    // and so each handle that goes is looked at.
    std::int32_t references_ = -1;
    State state_ = State::pending;
    Kind kind_;
    bool unretrieved_ : 1 = false;                     // an exception that nobody has looked at
    bool is_forgotten_ : 1 = false;                    // what it will end with is nobody's affair
    bool has_user_callbacks_ : 1 = false;              // some of callbacks_ are DoneCallbacks
    bool outlives_handles_ : 1 = false;                // outlive_handles() is to be asked
    bool looks_at_thread_ : 1 = false;                 // in debug mode
    [[maybe_unused]] std::uint8_t free_bits_ : 3 = 0;  // so that the byte is written and not changed
    std::uint8_t plain_granules_ = 0;                  // of a task whose result and extra need no destructor: its size
    LoopCore* loop_;
    IntrusiveStack<ReadyNode> callbacks_;
    std::exception_ptr
        exception_;  // of a cancelled task: its own in debug mode, else late_cancelled_error(), until somebody asks
    Ref<CancelRequest> cancel_request_;

private:
    void handle_goes() noexcept;
    bool last_handle_goes() noexcept;
    void destroy_slowly() noexcept;
    void end_of_life() noexcept;
    bool lives_on() noexcept;
    void report_unretrieved() noexcept;
    void become_done(State state) noexcept;
    void keep_for_callbacks() noexcept;
    bool is_empty() const noexcept {
        return callbacks_.empty() && !exception_ && !cancel_request_ && !outlives_handles_ && !unretrieved_ &&
               !looks_at_thread_;
    }
};

}  // namespace asyncio::detail
