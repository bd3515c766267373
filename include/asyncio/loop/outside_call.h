#pragma once

#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/executor.h>
#include <asyncio/loop/inbox.h>
#include <asyncio/loop/scheduling.h>

#include <typeinfo>

namespace asyncio::detail {

struct OutsideCalls;  // the tag of the loop's list of calls on other threads

/// A call on a thread of an executor, as its loop sees it. Its node brings the outcome.
class OutsideCall : public ExecutorJob, public ReadyNode, public ListHook<OutsideCalls> {
public:
    /// The loop is closed: nobody will look at the outcome.
    virtual void detach() noexcept = 0;
    virtual const std::type_info& callable_type() const noexcept = 0;

    Executor* executor() const noexcept { return executor_; }
    const Inbox& inbox() const noexcept { return *inbox_; }
    bool has_begun() const noexcept;
    /// Whether the executor may still be asked: it may die as soon as its calls have begun, or after `shutdown(false)`.
    bool is_in_executor() const noexcept { return !has_begun() && !executor_is_gone(); }
    /// Whether it is work of its loop that waits for the loop itself.
    bool is_blocked() const noexcept;
    /// Its thread begins or ends to wait for the loop. From any thread.
    void set_blocked(bool blocked) noexcept;
    /// Whether the loop counts on it to do something by itself.
    bool is_counted() const noexcept { return counted_; }
    /// Whether it shall. On the loop, until the outcome is there.
    void set_counted(bool counted) noexcept;

protected:
    using ReadyNode::ReadyNode;
    ~OutsideCall() = default;
    /// Joins the loop's list. The node is what its inbox will be given.
    void join(LoopCore& loop, Executor* executor, bool counted);
    void begin() noexcept;
    void stop_counting() noexcept;
    void leave() noexcept;

    LoopCore* loop_ = nullptr;
    Executor* executor_ = nullptr;
    Ref<Inbox> inbox_;

private:
    bool begun_ = false;    // atomic
    bool blocked_ = false;  // atomic
    bool counted_ = false;
};

}  // namespace asyncio::detail
