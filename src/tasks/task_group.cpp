#include <asyncio/tasks/task_group.h>

#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/core/waiter.h>

namespace asyncio {

namespace detail {

/// The parent's wait for the end of the group's tasks. Gives the CancelledError that ended it early, or null.
class [[nodiscard]] ChildrenDone final : public Waiter {
public:
    explicit ChildrenDone(TaskGroup& group) noexcept : group_(group) {}
    ~ChildrenDone() { group_.waiter_ = nullptr; }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        group_.waiter_ = this;
        suspend(*frame.promise().task(), frame);
    }
    std::exception_ptr await_resume() {
        return was_cancelled() ? std::make_exception_ptr(CancelledError(take_cancel_request())) : nullptr;
    }
    WaitEdge edge() const noexcept override { return {WaitKind::group, &group_}; }

private:
    TaskGroup& group_;
};

class [[nodiscard]] AllChildren : public NativeAwaitable {
public:
    explicit AllChildren(TaskGroup& group) noexcept : group_(group) {}
    ChildrenDone operator co_await() const noexcept { return ChildrenDone(group_); }

private:
    TaskGroup& group_;
};

void GroupMember::task_is_done(ReadyNode& node) {
    auto& member = static_cast<GroupMember&>(node);
    TaskGroup& group = *member.group_;
    Ref<TaskBase> child = std::move(member.task_);
    member.forget();
    group.child_is_done(*child);
}

void GroupMember::forget() noexcept {
    ReadyNode::unlink();
    ListHook<GroupMembers>::unlink();
    group_ = nullptr;
    Ref<TaskBase> last = std::move(task_);
}

}  // namespace detail

TaskGroup::TaskGroup() noexcept = default;

TaskGroup::TaskGroup(TaskGroup&& other) : cancel_on_enter_(other.cancel_on_enter_) {
    if (other.entered_) throw RuntimeError("TaskGroup " + repr(other) + " cannot be moved, since it has been entered");
}

TaskGroup::~TaskGroup() {
    while (!members_.empty()) members_.front().forget();
}

TaskGroup& TaskGroup::aenter() {
    if (entered_) throw RuntimeError("TaskGroup " + repr(*this) + " has already been entered");
    loop_ = &detail::running_core();
    detail::TaskBase* parent = detail::current_task_of(*loop_);
    if (parent == nullptr) throw RuntimeError("TaskGroup " + repr(*this) + " cannot determine the parent task");
    parent_ = detail::Ref<detail::TaskBase>(parent);
    entered_ = true;
    if (cancel_on_enter_) cancel();
    return *this;
}

void TaskGroup::throw_refused() const {
    std::string who = "TaskGroup " + repr(*this);
    if (!entered_) throw RuntimeError(who + " has not been entered");
    if (exiting_ && members_.empty()) throw RuntimeError(who + " is finished");
    throw RuntimeError(who + " is shutting down");
}

void TaskGroup::start(detail::TaskBase& task, detail::GroupMember& member, const TaskOptions& options) {
    // A member already in an eager first step, in which the task may cancel the group; CPython adds it only after that.
    member.group_ = this;
    member.task_ = detail::Ref<detail::TaskBase>(&task);
    members_.push_back(member);
    try {
        detail::start_task(task, options);
    } catch (...) {
        member.forget();
        throw;
    }
    task.add_node(member);
}

void TaskGroup::child_is_done(detail::TaskBase& child) {
    if (waiter_ != nullptr && members_.empty()) waiter_->wake();
    if (child.cancelled() || !child.peek_exception()) return;
    std::exception_ptr error = child.exception();
    errors_.push_back(error);
    if (!base_error_ && detail::is_keyboard_interrupt_or_system_exit(error)) base_error_ = error;
    if (parent_->done()) {
        AnyTask task{detail::Ref<detail::FutureBase>(&child)};
        AnyTask parent{detail::Ref<detail::FutureBase>(parent_.get())};
        task.get_loop().call_exception_handler({.message = "Task " + repr(task) +
                                                           " has errored out but its parent task " + repr(parent) +
                                                           " is already completed",
                                                .exception = error,
                                                .task = task});
        return;
    }
    if (aborting_ || parent_cancel_requested_) return;
    // Whatever the parent does in the block is to end; aexit() takes the request back.
    detail::Ref<detail::CancelRequest> request = abort(child.name(), std::source_location());
    parent_cancel_requested_ = true;
    parent_->cancel(request);
}

void TaskGroup::cancel(std::source_location where) {
    if (!entered_) {
        cancel_on_enter_ = true;
        return;
    }
    if (aborting_ || (exiting_ && members_.empty())) return;
    detail::TaskBase* caller = detail::current_task_of(*loop_);
    detail::Ref<detail::CancelRequest> request = abort(caller != nullptr ? caller->name() : std::string(), where);
    parent_cancel_requested_ = true;
    parent_->cancel(request);
}

detail::Ref<detail::CancelRequest> TaskGroup::abort(std::string_view requested_by, std::source_location where) {
    aborting_ = true;
    auto request = detail::make_cancel_request(std::nullopt, requested_by, where);
    for (detail::GroupMember& member : members_) {
        if (!member.task_->done()) member.task_->cancel(request);
    }
    return request;
}

Coro<std::exception_ptr> TaskGroup::leave(std::exception_ptr error) {
    exiting_ = true;
    if (error) {
        if (!base_error_ && detail::is_keyboard_interrupt_or_system_exit(error)) base_error_ = error;
        if (detail::is_cancelled_error(error)) cancellation_ = error;
        if (!aborting_) abort(parent_->name(), std::source_location());
    }
    while (!members_.empty()) {
        std::exception_ptr cancelled = co_await detail::AllChildren(*this);
        if (!cancelled) continue;
        absorbed_ = cancelled;
        if (aborting_) continue;
        cancellation_ = cancelled;
        const auto* reason = detail::exception_cast<CancelledError>(cancelled);
        abort(reason->requested_by(), reason->requested_at());
    }
    std::exception_ptr result = outcome(error);
    parent_ = nullptr;
    errors_.clear();
    base_error_ = cancellation_ = absorbed_ = nullptr;
    co_return result;
}

std::exception_ptr TaskGroup::outcome(const std::exception_ptr& error) {
    if (base_error_) return base_error_;
    if (parent_cancel_requested_) {
        if (parent_->uncancel() == 0) {
            cancellation_ = nullptr;
        } else if (!cancellation_) {
            cancellation_ = absorbed_;  // not all of it was the group's own doing
        }
    }
    if (cancellation_ && errors_.empty()) return cancellation_;
    if (error && !detail::is_cancelled_error(error)) errors_.push_back(error);
    if (errors_.empty()) return nullptr;
    if (parent_->cancelling() > 0) {
        // Cancelled from outside too: that is raised at the next await, and the count stays as it is.
        parent_->uncancel();
        parent_->cancel(nullptr);
    }
    return make_exception_group("unhandled errors in a TaskGroup", std::move(errors_));
}

Coro<bool> TaskGroup::aexit(std::exception_ptr error) {
    std::exception_ptr result = co_await leave(error);
    if (result && result != error) std::rethrow_exception(result);
    co_return error && !result;
}

std::string repr(const TaskGroup& group) {
    auto& members = const_cast<TaskGroup&>(group).members_;
    std::size_t tasks = 0;
    for (auto member = members.begin(); member != members.end(); ++member) ++tasks;
    std::string text = "<TaskGroup";
    if (tasks > 0) text += " tasks=" + std::to_string(tasks);
    if (!group.errors_.empty()) text += " errors=" + std::to_string(group.errors_.size());
    if (group.aborting_) {
        text += " cancelling";
    } else if (group.entered_) {
        text += " entered";
    }
    return text + ">";
}

}  // namespace asyncio
