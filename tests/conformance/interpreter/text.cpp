#include <asyncio/asyncio.h>

#include "text.h"

#include <algorithm>
#include <vector>

namespace conformance {

using asyncio::exception_cast;

std::exception_ptr make_error(const Node& spec) {
    const std::string& message = spec[1].text;
    switch (spec[0].text.at(0)) {
        case 'G': {
            std::vector<std::exception_ptr> children;
            for (const Node& child : spec[2].list) children.push_back(make_error(child));
            return asyncio::make_exception_group(message, std::move(children));
        }
        case 'S':
            return std::make_exception_ptr(asyncio::SystemExit(message.empty() ? 0 : std::stoi(message)));
        case 'V':
            return std::make_exception_ptr(asyncio::ValueError(message));
        case 'R':
            return std::make_exception_ptr(asyncio::RuntimeError(message));
        case 'L':
            return std::make_exception_ptr(asyncio::LookupError(message));
        case 'O':
            return std::make_exception_ptr(asyncio::OSError(message));
        case 'T':
            return std::make_exception_ptr(asyncio::TimeoutError(message));
        case 'B':
            return std::make_exception_ptr(AppBase(message));
        case 'C':
            return std::make_exception_ptr(message.empty() ? asyncio::CancelledError()
                                                           : asyncio::CancelledError(message));
        case 'X':
            return std::make_exception_ptr(asyncio::GeneratorExit());
        default:
            return std::make_exception_ptr(asyncio::KeyboardInterrupt());
    }
}

std::string shown_message(std::string message) {
    for (const char* object : {"<Task ", "<Future ", "<coroutine ", "<async_generator ", "<_GatheringFuture", "<Token ",
                               "<_contextvars", "<Context ", "<ContextVar "}) {
        message = message.substr(0, message.find(object));
    }
    return shown_repr(std::move(message));
}

std::string shown_repr(std::string repr) {
    constexpr std::string_view address = " at 0x";
    constexpr std::string_view object = " object";
    for (std::size_t at; (at = repr.find(address)) != repr.npos;) {
        std::size_t end = std::min(repr.find_first_not_of("0123456789abcdef", at + address.size()), repr.size());
        if (repr.substr(0, at).ends_with(object)) at -= object.size();
        repr.erase(at, end - at);
    }
    constexpr std::string_view tasks = "<TaskGroup tasks=";  // differs: a task that starts eagerly in a group
    constexpr std::size_t kept = 10;
    if (std::size_t at = repr.find(tasks); at != repr.npos) {
        std::size_t end = repr.find_first_not_of("0123456789", at + tasks.size());
        repr.erase(at + kept, end - at - kept);
    }
    return repr;
}

std::string describe(const std::exception_ptr& error) {
    if (auto* group = exception_cast<asyncio::BaseExceptionGroup>(error)) {
        std::string children;
        for (const std::exception_ptr& child : group->exceptions()) {
            children += (children.empty() ? "" : ", ") + describe(child);
        }
        return asyncio::type_name(error) + "('" + group->message() + "', [" + children + "])";
    }
    std::string message = shown_message(asyncio::str(error));
    std::string all = asyncio::type_name(error) + (message.empty() ? "()" : "('" + message + "')");
    if (auto* timeout = exception_cast<asyncio::TimeoutError>(error)) {
        if (timeout->cause()) all += " from " + asyncio::type_name(timeout->cause());
    }
    return all;
}

std::string log_line(const std::exception_ptr& error) {
    std::string message = shown_message(asyncio::str(error));
    return asyncio::type_name(error) + (message.empty() ? "" : ": " + message);
}

bool matches(const std::exception_ptr& error, std::string_view pattern) {
    if (pattern == "cancel") return exception_cast<asyncio::CancelledError>(error) != nullptr;
    if (pattern == "exception") return exception_cast<std::exception>(error) != nullptr;
    if (pattern == "base") return true;
    if (pattern == "timeout") return exception_cast<asyncio::TimeoutError>(error) != nullptr;
    if (pattern == "value") return exception_cast<asyncio::ValueError>(error) != nullptr;
    if (pattern == "runtime") return exception_cast<asyncio::RuntimeError>(error) != nullptr;
    if (pattern == "group") return exception_cast<asyncio::BaseExceptionGroup>(error) != nullptr;
    if (pattern == "app") return exception_cast<AppBase>(error) != nullptr;
    if (pattern == "shutdown") return exception_cast<asyncio::QueueShutDown>(error) != nullptr;
    if (pattern == "broken") return exception_cast<asyncio::BrokenBarrierError>(error) != nullptr;
    if (pattern == "exit") return exception_cast<asyncio::GeneratorExit>(error) != nullptr;
    return false;
}

std::string text(bool value) { return value ? "True" : "False"; }
std::string text(int value) { return std::to_string(value); }
std::string text(const char* value) { return value; }
std::string text(const std::string& value) { return value; }

}  // namespace conformance
