#include <asyncio/tasks/task_group.h>

#include "core/task_loop.h"
#include "core/wait_story.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_context.h>
#include <asyncio/errors/exception_group.h>

#include <vector>

namespace asyncio {

namespace detail {

ChildrenDone::~ChildrenDone() { group_->waiter_ = nullptr; }

void ChildrenDone::wait(TaskBase& task, std::coroutine_handle<> frame) noexcept {
    group_->waiter_ = this;
    suspend(task, frame);
}

void ChildrenDone::tell(WaitStory& story) const {
    for (GroupMember& member : group_->members_) story.awaits(member.task_.get());
    story.names("TaskGroup", group_, "tasks=" + std::to_string(story.awaited.size()));
}

void ChildrenDone::await_resume() noexcept {
    if (was_cancelled()) group_->wait_was_cancelled(take_cancel_request());
}

void GroupMember::task_is_done(ReadyNode& node) {
    auto& member = static_cast<GroupMember&>(node);
    Ref<TaskBase> child = std::move(member.task_);
    member.group_->child_is_done(member, *child);
}

TaskBase* GroupMember::parent_told_by(const ReadyNode& node) noexcept {
    if (node.run_function() != &GroupMember::task_is_done) return nullptr;
    const TaskGroup* group = static_cast<const GroupMember&>(node).group_;
    return group != nullptr ? group->parent_.get() : nullptr;
}

void GroupMember::forget() noexcept {
    ReadyNode::unlink();
    ListHook<GroupMembers>::unlink();
    group_ = nullptr;
    Ref<TaskBase> last = std::move(task_);
}

}  // namespace detail

TaskGroup::TaskGroup() noexcept = default;

// NOLINTNEXTLINE(performance-noexcept-move-constructor): it says what is wrong
TaskGroup::TaskGroup(TaskGroup&& other) : cancel_on_enter_(other.cancel_on_enter_) {
    if (other.entered_) throw RuntimeError("TaskGroup " + repr(other) + " cannot be moved, since it has been entered");
}

TaskGroup::~TaskGroup() {
    while (!members_.empty()) members_.front().forget();
    while (!failed_.empty()) failed_.front().forget();
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

void TaskGroup::start(detail::TaskBase& task, detail::GroupMember& member) {
    detail::TaskLoop& loop = detail::task_loop(*loop_);
    bool is_plain = loop.is_running() && !loop.task_factory;
    if (!is_plain) [[unlikely]]
        return start(task, member, TaskOptions());
    member.group_ = this;
    member.task_.begin(&task);
    members_.push_back(member);
    task.start_plainly();
    task.add_first_node(member);
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

void TaskGroup::child_is_done(detail::GroupMember& member, detail::TaskBase& child) {
    decltype(members_)::take_out(member);
    member.group_ = nullptr;
    bool has_failed = child.peek_exception() && !child.cancelled();
    if (has_failed) [[unlikely]]
        return child_has_failed(member, child);
    if (waiter_ != nullptr && members_.empty()) waiter_->wake();
}

// Out of line, or the registers that it needs are saved for each child that has not failed.
[[gnu::noinline]] void TaskGroup::child_has_failed(detail::GroupMember& member, detail::TaskBase& child) {
    member.task_ = detail::Ref<detail::TaskBase>(&child);
    failed_.push_back(member);
    if (waiter_ != nullptr && members_.empty()) waiter_->wake();
    const std::exception_ptr& error = child.peek_exception();
    child.mark_retrieved();
    if (!base_error_ && detail::is_keyboard_interrupt_or_system_exit(error)) base_error_ = error;
    if (parent_->done()) {
        AnyTask task{detail::Ref<detail::FutureBase>(&child)};
        AnyTask parent{detail::Ref<detail::FutureBase>(parent_.get())};
        detail::exception_handler_of(*loop_).tell({.exception = error, .task = task}, [&](ExceptionContext& context) {
            context.message =
                "Task " + repr(task) + " has errored out but its parent task " + repr(parent) + " is already completed";
        });
        return;
    }
    if (aborting_ || parent_cancel_requested_) return;
    // Whatever the parent does in the block is to end; finish_leaving() takes the request back.
    auto request = detail::request_cancel(&child, std::nullopt, std::source_location());
    abort(request);
    parent_cancel_requested_ = true;
    cancel_task(*parent_, request);
}

void TaskGroup::cancel(std::source_location where) {
    if (!entered_) {
        cancel_on_enter_ = true;
        return;
    }
    if (aborting_ || (exiting_ && members_.empty())) return;
    loop_->check_thread();
    auto request = detail::request_cancel(*loop_, std::nullopt, where);
    abort(request);
    parent_cancel_requested_ = true;
    cancel_task(*parent_, request);
}

void TaskGroup::abort(const detail::Ref<detail::CancelRequest>& request) noexcept {
    aborting_ = true;
    for (detail::GroupMember& member : members_) {
        if (!member.task_->done()) cancel_task(*member.task_, request);
    }
}

/// One that cannot be cancelled, since it waits in a circle, does not keep the others from it.
void TaskGroup::cancel_task(detail::TaskBase& task, const detail::Ref<detail::CancelRequest>& request) noexcept {
    try {
        task.cancel(request);
    } catch (...) {
        detail::exception_handler_of(*loop_).report(
            {.exception = std::current_exception(), .task = AnyTask(detail::Ref<detail::FutureBase>(&task))},
            [](ExceptionContext& context) { context.message = "a TaskGroup could not cancel a task"; });
    }
}

void TaskGroup::begin_leaving(const std::exception_ptr& error) noexcept {
    exiting_ = true;
    if (!error) return;
    if (!base_error_ && detail::is_keyboard_interrupt_or_system_exit(error)) base_error_ = error;
    if (detail::is_cancelled_error(error)) cancellation_ = error;
    if (!aborting_) abort(detail::request_cancel(parent_.get(), std::nullopt, std::source_location()));
}

void TaskGroup::wait_was_cancelled(detail::Ref<detail::CancelRequest> request) noexcept {
    absorbed_ = std::make_exception_ptr(CancelledError(request));
    if (aborting_) return;
    cancellation_ = absorbed_;
    abort(request ? detail::make_cancel_request(std::nullopt, request->requested_by, request->requested_at) : nullptr);
}

std::exception_ptr TaskGroup::finish_leaving(const std::exception_ptr& error) noexcept {
    std::exception_ptr result = outcome(error);
    parent_ = nullptr;
    while (!failed_.empty()) failed_.front().forget();
    base_error_ = cancellation_ = absorbed_ = nullptr;
    return result;
}

std::exception_ptr TaskGroup::outcome(const std::exception_ptr& error) noexcept {
    if (base_error_) return base_error_;
    if (parent_cancel_requested_) {
        if (parent_->uncancel() == 0) {
            cancellation_ = nullptr;
        } else if (!cancellation_) {
            cancellation_ = absorbed_;  // not all of it was the group's own doing
        }
    }
    if (cancellation_ && failed_.empty()) return cancellation_;
    bool is_one_of_them = error && !detail::is_cancelled_error(error);
    if (failed_.empty() && !is_one_of_them) return nullptr;
    if (parent_->cancelling() > 0) {
        // Cancelled from outside too: that is raised at the next await, and the count stays as it is.
        parent_->uncancel();
        cancel_task(*parent_, nullptr);
    }
    try {
        return group_of_errors(is_one_of_them ? error : nullptr);
    } catch (...) {  // bad_alloc, then, comes out in its place
        return std::current_exception();
    }
}

std::exception_ptr TaskGroup::group_of_errors(const std::exception_ptr& last) {
    std::vector<std::exception_ptr> errors;
    for (detail::GroupMember& member : failed_) errors.push_back(member.task_->peek_exception());
    if (last) errors.push_back(last);
    return make_exception_group("unhandled errors in a TaskGroup", std::move(errors));
}

Coro<bool> TaskGroup::aexit(std::exception_ptr error) {
    begin_leaving(error);
    while (has_tasks()) {
        co_await wait();
    }
    std::exception_ptr result = finish_leaving(error);
    if (result && result != error) std::rethrow_exception(result);
    co_return error && !result;
}

std::string repr(const TaskGroup& group) {
    auto count = [](auto& members) {
        std::size_t number = 0;
        for (auto member = members.begin(); member != members.end(); ++member) ++number;
        return number;
    };
    std::size_t tasks = count(const_cast<TaskGroup&>(group).members_);
    std::size_t errors = count(const_cast<TaskGroup&>(group).failed_);
    std::string text = "<TaskGroup";
    if (tasks > 0) text += " tasks=" + std::to_string(tasks);
    if (errors > 0) text += " errors=" + std::to_string(errors);
    if (group.aborting_) {
        text += " cancelling";
    } else if (group.entered_) {
        text += " entered";
    }
    return text + ">";
}

}  // namespace asyncio
