// What a future and a task look like when they are printed.
#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <cstdio>

namespace asyncio {
namespace detail {

namespace {

void add_outcome(std::string& text, FutureBase& future, const char* pending) {
    switch (future.state()) {
        case FutureBase::State::pending:
            text += pending;
            return;
        case FutureBase::State::cancelled:
            text += "cancelled";
            return;
        case FutureBase::State::finished:
            text += "finished";
            break;
    }
}

void add_result(std::string& text, FutureBase& future) {
    if (future.state() == FutureBase::State::finished) {
        text +=
            future.peek_exception() ? " exception=" + repr(future.peek_exception()) : " result=" + future.result_repr();
    }
    std::size_t callbacks = future.count_callbacks();
    if (callbacks > 0) text += " cb=[" + std::to_string(callbacks) + (callbacks == 1 ? " callback]" : " callbacks]");
}

std::string repr_of_future(FutureBase& future, int depth);

/// What stands for the private future that Python would show here.
std::string repr_of_wait(const WaitEdge& edge, int depth) {
    auto named = [&](const char* name) {
        char text[64];
        std::snprintf(text, sizeof text, "<%s at %p>", name, edge.subject);
        return std::string(text);
    };
    switch (edge.kind) {
        case WaitKind::nothing:
            return {};
        case WaitKind::future:
        case WaitKind::task:
        case WaitKind::gathering:
            if (depth > 3) return "...";
            return repr_of_future(*static_cast<FutureBase*>(const_cast<void*>(edge.subject)), depth + 1);
        case WaitKind::sleep:
            return "<sleep>";
        case WaitKind::group:
            return named("TaskGroup");
        case WaitKind::several:
            return "<several futures>";
        case WaitKind::lock:
            return named("Lock");
        case WaitKind::event:
            return named("Event");
        case WaitKind::condition:
            return named("Condition");
        case WaitKind::semaphore:
            return named("Semaphore");
        case WaitKind::barrier:
            return named("Barrier");
        case WaitKind::queue:
            return named("Queue");
        case WaitKind::server:
            return named("Server");
        case WaitKind::file_descriptor:
            return "<file descriptor " + std::to_string(edge.fd) + ">";
        case WaitKind::process:
            return "<process " + std::to_string(edge.fd) + ">";
        case WaitKind::thread:
            return "<thread>";
        case WaitKind::foreign:
            return "<foreign>";
    }
    return {};
}

std::string repr_of_task(TaskBase& task, int depth) {
    std::string text = "<Task ";
    add_outcome(text, task, task.cancelling() > 0 ? "cancelling" : "pending");
    text += " name=" + quoted(task.name());
    StackEntry place = stack_entry({task.function(), task.function()});
    text += " coro=<" + place.function + "()";
    if (task.root()) {
        std::vector<StackEntry> frames = task.stack(std::nullopt);
        if (!frames.empty()) place = frames.front();
        text += " running at ";
    } else {
        text += " done, defined at ";
    }
    text += place.file + ":" + std::to_string(place.line) + ">";
    WaitEdge edge = task.waiting_on() != nullptr ? task.waiting_on()->edge() : WaitEdge{};
    if (edge.kind != WaitKind::nothing) text += " wait_for=" + repr_of_wait(edge, depth);
    add_result(text, task);
    return text + ">";
}

std::string repr_of_future(FutureBase& future, int depth) {
    if (future.kind() == FutureBase::Kind::task) return repr_of_task(static_cast<TaskBase&>(future), depth);
    std::string text = future.kind() == FutureBase::Kind::gathering ? "<_GatheringFuture " : "<Future ";
    add_outcome(text, future, "pending");
    add_result(text, future);
    return text + ">";
}

}  // namespace
}  // namespace detail

std::string repr(const AnyFuture& future) {
    return future ? detail::repr_of_future(*future.state_or_null(), 0) : std::string("<Future empty handle>");
}

std::string repr(const AnyTask& task) {
    return task ? detail::repr_of_future(*task.state_or_null(), 0) : std::string("None");
}

}  // namespace asyncio
