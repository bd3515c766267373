#include "core/wait_story.h"

#include "core/meant_future.h"
#include "core/object_names.h"
#include "errors/function_name.h"

#include <asyncio/core/executor_call.h>
#include <asyncio/core/foreign.h>
#include <asyncio/core/future.h>
#include <asyncio/errors/repr.h>

#include <cstdio>
#include <unordered_set>

namespace asyncio::detail {

void WaitStory::awaits(const AwaitsFutures& futures) {
    for (std::size_t i = 0; i < futures.count_awaited(); ++i) awaits(futures.awaited(i));
}

void WaitStory::names(const char* type, const void* object, const std::string& extra) {
    if (!with_text) return;
    char address[32];
    std::snprintf(address, sizeof address, " at %p", object);
    std::string name = name_of_object(object);
    if (!name.empty()) name = " " + detail::quoted(name);
    text = std::string("<") + type + name + address + (extra.empty() ? "" : " ") + extra + ">";
}

void WaitStory::is_gone(const char* type) {
    text = std::string("<") + type + " that was destroyed>";
    is_lost = true;
}

std::vector<FutureBase*> all_behind(const std::vector<FutureBase*>& futures, bool* has_news) {
    WaitStory story;
    story.awaited = futures;
    std::vector<FutureBase*> found;
    std::unordered_set<const FutureBase*> seen;
    for (std::size_t i = 0; i < story.awaited.size(); ++i) {
        FutureBase* future = story.awaited[i];
        if (!seen.insert(future).second) continue;
        found.push_back(future);
        if (const auto* others = dynamic_cast<const AwaitsFutures*>(future)) story.awaits(*others);
    }
    if (has_news != nullptr && story.has_news) *has_news = true;
    return found;
}

WaitStory story_of(const TaskBase& task, int depth) {
    WaitStory story;
    story.depth = depth;
    if (const Waiter* waiter = task.waiting_on()) waiter->tell(story);
    return story;
}

WaitStory edges_of(const TaskBase& task) {
    WaitStory story;
    story.with_text = false;
    if (const Waiter* waiter = task.waiting_on()) waiter->tell(story);
    return story;
}

std::source_location place_of_await(const TaskBase& task, std::coroutine_handle<> frame, std::source_location where) {
    std::coroutine_handle<> at = task.root() ? task.innermost() : nullptr;
    while (at && at != frame) at = PromiseBase::of(at).parent();
    while (at && is_of_library(PromiseBase::of(at).function().function_name())) {
        at = PromiseBase::of(at).parent();
        if (at) where = PromiseBase::of(at).await_at();
    }
    return where;
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void Waiter::tell(WaitStory& story) const {
    WaitEdge edge = this->edge();
    switch (edge.kind) {
        case WaitKind::file_descriptor:
            story.text = "<file descriptor " + std::to_string(edge.fd) + ">";
            break;
        case WaitKind::process:
            story.text = "<end of process " + std::to_string(edge.fd) + ">";
            break;
        case WaitKind::thread:
            story.text = "<call on another thread>";
            break;
        case WaitKind::several:
            story.text = "<several futures>";
            break;
        default:
            story.text = "<wait>";
    }
}

void FutureWaiter::tell(WaitStory& story) const {
    story.awaits(future_.get());
    if (!story.with_text) return;
    bool is_of_thread = ExecutorCall::will_end(*future_);
    story.text = is_of_thread ? "<call on another thread>" : repr_of_future(*future_, story.depth + 1);
}

void MeantFutureWaiter::tell(WaitStory& story) const {
    story.awaits(&future());
    if (story.with_text) story.text = meaning_.text(meaning_.subject, meaning_.fd);
}

void ForeignWaiter::tell_of(WaitStory& story, const std::type_info& awaitable) const {
    story.text = "<foreign " + type_text(awaitable) + ">";
}

}  // namespace asyncio::detail
