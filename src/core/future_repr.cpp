// What a future and a task look like when they are printed.
#include "core/past_place.h"
#include "core/wait_story.h"
#include "errors/function_name.h"

#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

namespace asyncio {
namespace detail {

namespace {

void add_outcome(std::string& text, const FutureBase& future, const char* pending) {
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

void add_result(std::string& text, const FutureBase& future) {
    if (future.state() == FutureBase::State::finished) {
        text +=
            future.peek_exception() ? " exception=" + repr(future.peek_exception()) : " result=" + future.result_repr();
    }
    std::size_t callbacks = future.count_callbacks();
    if (callbacks > 0) text += " cb=[" + std::to_string(callbacks) + (callbacks == 1 ? " callback]" : " callbacks]");
}

/// What stands for the private future that Python would show here, and the innermost await that is the user's, if that
/// is another line than the one that the coroutine stands at.
std::string repr_of_wait(const TaskBase& task, const std::vector<StackEntry>& frames, int depth) {
    if (depth > 3) return "...";
    std::string text = story_of(task, depth).text;
    std::size_t count = frames.size();
    while (count > 1 && frames[count - 1].function.starts_with("asyncio::")) --count;
    if (count > 1) text += " at " + frames[count - 1].file + ":" + std::to_string(frames[count - 1].line);
    return text;
}

/// In debug mode: who created it, and where that one had come to, by the line of its latest await.
void add_birthplace(std::string& text, const TaskBase& task) {
    const Birthplace* birth = task.kept_name().birthplace_or_null();
    if (birth == nullptr) return;
    for (std::uint8_t i = 0; i < birth->count; ++i) {
        const FramePlace& place = birth->places[i];
        if (is_of_library(PastSource(place.function).signature)) continue;
        StackEntry entry = past_stack_entry(place);
        text += " created in " + entry.function + "() after " + entry.file + ":" + std::to_string(entry.line);
        return;
    }
}

std::string repr_of_task(const TaskBase& task, int depth) {
    std::string text = "<Task ";
    add_outcome(text, task, task.cancelling() > 0 ? "cancelling" : "pending");
    text += " name=" + detail::quoted(task.name());
    FramePlace definition = {task.function(), task.function()};
    StackEntry place = task.root() ? stack_entry(definition) : past_stack_entry(definition);
    text += " coro=<" + place.function + "()";
    std::vector<StackEntry> frames;
    if (task.root()) {
        frames = task.stack(std::nullopt);
        if (!frames.empty()) place = frames.front();
        text += " running at ";
    } else {
        text += " done, defined at ";
    }
    text += place.file + ":" + std::to_string(place.line) + ">";
    if (task.waiting_on() != nullptr) text += " wait_for=" + repr_of_wait(task, frames, depth);
    add_result(text, task);
    add_birthplace(text, task);
    return text + ">";
}

/// Of what waits for others: how many are not done yet, or of what shield() returned which one.
void add_awaited(std::string& text, const FutureBase& future, int depth) {
    const auto* futures = future.done() ? nullptr : dynamic_cast<const AwaitsFutures*>(&future);
    if (futures == nullptr) return;
    WaitStory story;
    story.awaits(*futures);
    bool is_shield = future.kind() == FutureBase::Kind::future && story.awaited.size() == 1;
    if (is_shield) {
        text += " shields=" + (depth > 3 ? "..." : repr_of_future(*story.awaited[0], depth + 1));
    } else {
        text += " tasks=" + std::to_string(story.awaited.size());
    }
}

}  // namespace

std::string repr_of_future(const FutureBase& future, int depth) {
    if (future.kind() == FutureBase::Kind::task) return repr_of_task(static_cast<const TaskBase&>(future), depth);
    std::string text = future.kind() == FutureBase::Kind::gathering ? "<_GatheringFuture " : "<Future ";
    add_outcome(text, future, "pending");
    if (depth > 0) add_awaited(text, future, depth);
    add_result(text, future);
    return text + ">";
}

}  // namespace detail

std::string repr(const AnyFuture& future) {
    return future ? detail::repr_of_future(*future.state_or_null(), 0) : std::string("<Future empty handle>");
}

std::string repr(const AnyTask& task) {
    return task ? detail::repr_of_future(*task.state_or_null(), 0) : std::string("None");
}

}  // namespace asyncio
