#include <asyncio/core/task.h>

#include "core/task_loop.h"

#include <cstdio>

namespace asyncio {
namespace detail {

TaskBase& running_task() {
    TaskBase* task = current_task_of(running_core());
    if (task == nullptr) throw RuntimeError("no task is running: this needs to be called from a coroutine");
    return *task;
}

TaskBase& task_in_its_thread(FutureBase* state) {
    if (state == nullptr) throw_empty_handle();
    state->loop().check_thread();
    return static_cast<TaskBase&>(*state);
}

namespace {

AnyTask current_task_in(LoopCore& loop) { return AnyTask(Ref<FutureBase>(current_task_of(loop))); }

std::vector<AnyTask> all_tasks_in(LoopCore& loop) {
    std::vector<AnyTask> tasks;
    for (TaskBase& task : task_loop(loop).live_tasks) {
        if (!task.done()) tasks.push_back(AnyTask(Ref<FutureBase>(&task)));
    }
    return tasks;
}

}  // namespace
}  // namespace detail

const detail::TaskBase& CoroutineView::task() const noexcept { return static_cast<const detail::TaskBase&>(*task_); }
CoroutineView::operator bool() const noexcept { return task_ && task().root() != nullptr; }
std::string CoroutineView::function() const { return detail::stack_entry({definition(), definition()}).function; }
std::source_location CoroutineView::definition() const noexcept { return task().function(); }
bool CoroutineView::is_running() const noexcept { return current_task_of(task_->loop()) == task_.get(); }
bool CoroutineView::is_suspended() const noexcept { return *this && task().is_started() && !is_running(); }
std::string CoroutineView::repr() const {
    char address[32];
    std::snprintf(address, sizeof address, "%p", task().root().address());
    return "<coroutine object " + function() + " at " + address + ">";
}

AnyTask current_task() { return detail::current_task_in(detail::running_core()); }
AnyTask current_task(EventLoop& loop) {
    loop.core().check_thread();
    return detail::current_task_in(loop.core());
}
std::vector<AnyTask> all_tasks() { return detail::all_tasks_in(detail::running_core()); }
std::vector<AnyTask> all_tasks(EventLoop& loop) {
    loop.core().check_thread();
    return detail::all_tasks_in(loop.core());
}

AnyTask NewTask::start(const TaskOptions& options) {
    if (!task_) throw RuntimeError("a new task can be started only once");
    detail::check_open(task_->loop());
    detail::Ref<detail::TaskBase> task = std::move(task_);
    task->start(options);
    return AnyTask(std::move(task));
}

AnyTask eager_task_factory(EventLoop&, NewTask task, TaskOptions options) {
    if (!options.eager_start) options.eager_start = true;
    return task.start(options);
}

TaskFactory create_eager_task_factory(TaskFactory custom_task_constructor) {
    return [make = std::move(custom_task_constructor)](EventLoop& loop, NewTask task, TaskOptions options) {
        if (!options.eager_start) options.eager_start = true;
        return make(loop, std::move(task), options);
    };
}

}  // namespace asyncio
