#include <asyncio/errors/repr.h>

#include "loop/loop_core.h"

#include <cxxabi.h>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace asyncio {
namespace detail {

std::string type_text(const std::type_info& type) {
    int status = 0;
    char* demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    std::string name = status == 0 ? demangled : type.name();
    std::free(demangled);
    if (name.starts_with("asyncio::")) name.erase(0, 9);
    return name;
}

std::string repr_of_integer(long long value) { return std::to_string(value); }
std::string repr_of_unsigned(unsigned long long value) { return std::to_string(value); }

std::string repr_of_double(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    // Python switches to an exponent at 1e16 and below 1e-4.
    double size = std::fabs(value);
    bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    char text[64];
    auto end =
        std::to_chars(text, text + sizeof text, value, plain ? std::chars_format::fixed : std::chars_format::scientific)
            .ptr;
    std::string result(text, end);
    if (plain && result.find('.') == std::string::npos) result += ".0";
    return result;
}

std::string repr_of_string(std::string_view text) {
    // Python's reprlib keeps 30 characters of a long one: the quoted start and end.
    constexpr std::size_t most = 30;
    std::string whole = quoted(text.substr(0, most));
    if (text.size() <= most && whole.size() <= most) return whole;
    std::size_t head = (most - 3) / 2;
    std::size_t tail = most - 3 - head;
    std::string all = quoted(text);
    if (all.size() <= most) return all;
    return all.substr(0, head) + "..." + all.substr(all.size() - tail);
}

std::string repr_of_object(const std::type_info& type, const void* object) {
    char address[32];
    std::snprintf(address, sizeof address, "%p", object);
    return "<" + type_text(type) + " object at " + address + ">";
}

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
