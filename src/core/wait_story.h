#pragma once

#include <asyncio/core/task_base.h>
#include <asyncio/core/waiter.h>

#include <coroutine>
#include <source_location>
#include <string>
#include <vector>

namespace asyncio::detail {

/// What a wait says of itself: to people, and to who follows the edges from task to task.
struct WaitStory {
    std::string text;                  ///< `<Lock at 0x7f5c locked by 'Task-3'>`
    std::vector<FutureBase*> awaited;  ///< pending ones whose end, or the end of one of which, it waits for
    bool has_news = false;             ///< one that it awaited is done, and what follows from that is to come
    bool awaits_any = false;           ///< one of them is enough
    TaskBase* holder = nullptr;        ///< who has the lock
    std::source_location held_since;   ///< where it took it
    bool has_limit = false;            ///< a timeout of its own ends it
    bool is_lost = false;              ///< what it waits for has died, and nobody will ever wake it
    bool with_text = true;             ///< false: the text of a future, which costs most, may be left out
    int depth = 0;                     ///< of the reprs inside which this one stands

    void awaits(FutureBase* future) {
        if (future == nullptr) return;
        if (future->done()) {
            has_news = true;
        } else {
            awaited.push_back(future);
        }
    }
    void awaits(const AwaitsFutures& futures);
    /// `<Lock at 0x7f5c locked>`; the extra may be empty.
    void names(const char* type, const void* object, const std::string& extra);
    /// What it waited for has died while it waited.
    void is_gone(const char* type);
};

/// These, and all pending ones for which they stand, as the future that gather() returns does; each once. `has_news`
/// becomes true if one of them has some.
std::vector<FutureBase*> all_behind(const std::vector<FutureBase*>& futures, bool* has_news = nullptr);
/// Of a task that waits; of another one the text is empty.
WaitStory story_of(const TaskBase& task, int depth = 0);
/// Whom it waits for, without a text.
WaitStory edges_of(const TaskBase& task);
/// `where`, or if that is inside of the library, as in with(), where the coroutine stands that called it.
std::source_location place_of_await(const TaskBase& task, std::coroutine_handle<> frame, std::source_location where);
/// `1 task`, `2 tasks`.
std::string counted(std::size_t count, const char* what);

/// As `repr()`, inside so many others.
std::string repr_of_future(const FutureBase& future, int depth);

}  // namespace asyncio::detail
