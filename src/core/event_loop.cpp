#include <asyncio/core/event_loop.h>

#include "core/task_loop.h"

#include <asyncio/core/trace.h>

#include <cstdlib>
#include <string_view>

namespace asyncio {

namespace {

bool debug_by_environment() {
    const char* value = std::getenv("ASYNCIO_DEBUG");
    return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

}  // namespace

EventLoop::EventLoop(LoopOptions options) : core_(new detail::TaskLoop(*this, options)) {
    if (debug_by_environment()) core_->set_debug(true);
    detail::trace_by_environment(*core_);
}

EventLoop::~EventLoop() { task_loop(*core_).destroy(); }

void EventLoop::run_forever() { task_loop(*core_).run_forever(); }
void EventLoop::stop() noexcept {
    core_->note_thread(
        "stop() of an event loop other than the current one; it may sleep on. Use loop.call_soon_threadsafe()");
    core_->stop();
}
bool EventLoop::is_running() const noexcept { return core_->is_running(); }
bool EventLoop::is_closed() const noexcept { return core_->is_closed(); }
void EventLoop::close() { core_->close(); }
TimePoint EventLoop::time() const noexcept { return core_->time(); }

void EventLoop::check_can_run() const {
    core_->check_closed();
    core_->check_running();
}

detail::LoopCore& EventLoop::in_its_thread() const {
    core_->check_thread();
    return *core_;
}

void EventLoop::run_until_complete(const AnyFuture& future) {
    check_can_run();
    run_until_done(future, false);
    future.state_or_null()->check_result();
}

void EventLoop::run_until_done(const AnyFuture& future, bool own_task) {
    detail::FutureBase* state = future.state_or_null();
    if (state == nullptr) detail::throw_empty_handle();
    if (&state->loop() != core_) {
        throw ValueError("The future belongs to a different loop than the one specified as the loop argument");
    }
    class StopWhenDone : public detail::ReadyNode {
    public:
        explicit StopWhenDone(detail::LoopCore& loop) : ReadyNode(&StopWhenDone::stop), loop_(loop) {}

    private:
        static void stop(ReadyNode& node) { static_cast<StopWhenDone&>(node).loop_.stop(); }
        detail::LoopCore& loop_;
    };
    StopWhenDone stop_when_done(*core_);
    if (own_task) static_cast<detail::TaskBase*>(state)->do_not_report_pending();
    state->add_node(stop_when_done);
    try {
        task_loop(*core_).run_forever();
    } catch (...) {
        // Only KeyboardInterrupt and SystemExit get here. As in Python, who runs the future has seen its exception.
        if (state->done()) state->mark_retrieved();
        throw;
    }
    if (!state->done()) throw RuntimeError("Event loop stopped before Future completed.");
}

TimerHandle EventLoop::at(TimePoint when, detail::TimedHandleBase& handle, ContextRef context) {
    auto owned = detail::Ref<detail::HandleBase>::adopt(&handle);
    core_->call_at(when, handle, context);
    return TimerHandle(std::move(owned));
}

void EventLoop::watch(int fd, bool for_writing, detail::HandleBase& handle) {
    auto owned = detail::Ref<detail::HandleBase>::adopt(&handle);
    in_its_thread().set_context(handle);
    core_->descriptors().watch(fd, for_writing, std::move(owned));
}
bool EventLoop::remove_reader(int fd) { return in_its_thread().descriptors().unwatch(fd, false); }
bool EventLoop::remove_writer(int fd) { return in_its_thread().descriptors().unwatch(fd, true); }
void EventLoop::handle_signal(int signum, detail::HandleBase& handle) {
    auto owned = detail::Ref<detail::HandleBase>::adopt(&handle);
    in_its_thread().set_context(handle);
    core_->signals().add(signum, std::move(owned));
}
bool EventLoop::remove_signal_handler(int signum) { return in_its_thread().signals().remove(signum); }

void EventLoop::set_task_factory(TaskFactory factory) {
    std::shared_ptr<TaskFactory>& place = task_loop(in_its_thread()).task_factory;
    std::shared_ptr<TaskFactory> former = std::move(place);
    if (factory) place = std::make_shared<TaskFactory>(std::move(factory));
}
bool EventLoop::has_task_factory() const noexcept { return static_cast<bool>(task_loop(*core_).task_factory); }
void EventLoop::set_exception_handler(ExceptionHandler handler) {
    exception_handler_of(in_its_thread()).set(std::move(handler));
}
bool EventLoop::has_exception_handler() const noexcept { return exception_handler_of(*core_).is_set(); }
void EventLoop::call_exception_handler(const ExceptionContext& context) {
    exception_handler_of(in_its_thread()).call(context);
}
void EventLoop::default_exception_handler(const ExceptionContext& context) {
    detail::LoopExceptionHandler::call_default(context);
}
IoBackend& EventLoop::io_backend() const {
    core_->check_closed();
    return core_->io();
}
bool EventLoop::get_debug() const noexcept { return core_->debug(); }
void EventLoop::set_debug(bool enabled) noexcept { core_->set_debug(enabled); }

void EventLoop::set_default_executor(Executor& executor) { in_its_thread().outside().set_default_executor(executor); }

EventLoop& get_running_loop() { return task_loop(detail::running_core()).facade(); }
EventLoop new_event_loop() { return EventLoop(); }

std::string repr(const EventLoop& loop) {
    auto flag = [](bool value) { return value ? "True" : "False"; };
    return std::string("<EventLoop running=") + flag(loop.is_running()) + " closed=" + flag(loop.is_closed()) +
           " debug=" + flag(loop.get_debug()) + ">";
}

}  // namespace asyncio
