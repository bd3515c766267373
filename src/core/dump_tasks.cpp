#include <asyncio/core/dump_tasks.h>

#include "core/blocked_thread.h"
#include "core/object_names.h"
#include "core/task_loop.h"
#include "core/wait_story.h"
#include "loop/all_loops.h"
#include "loop/signal_thread.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace asyncio::detail {
namespace {

std::string text_of_loop(TaskLoop& loop) {
    std::size_t count = 0;
    for (TaskBase& task : loop.live_tasks) count += task.done() ? 0U : 1U;
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<const void*>(&loop));
    std::string text =
        std::string("loop at ") + address + (loop.is_closed() ? ", closed, " : ", ") + counted(count, "task") + "\n";
    for (TaskBase& task : loop.live_tasks) {
        if (task.done()) continue;
        bool runs = &task == loop.current_task;
        text += (runs ? "* " : "  ") + repr(AnyTask(Ref<FutureBase>(&task))) + "\n";
        for (const StackEntry& entry : task.stack(std::nullopt)) {
            text += "      " + entry.file + ":" + std::to_string(entry.line) + " in " + entry.function + "\n";
        }
    }
    return text;
}

/// The loops of the process, and which of them have yet to answer.
class AskedLoops {
public:
    struct Loop {
        const LoopCore* address;  // it may be gone
        Ref<Inbox> inbox;
        int thread;
        bool runs;
    };

    AskedLoops() {
        NoFork no_fork;
        for (LoopCore* loop = all_loops.first(no_fork); loop != nullptr; loop = AllLoops::next(*loop, no_fork)) {
            bool runs = loop->is_running();  // asked once: it may begin or end just now
            loops_.push_back({loop, inbox_of(*loop), loop->thread(), runs});
            if (runs) silent_.push_back(loop);
        }
    }
    const std::vector<Loop>& loops() const noexcept { return loops_; }

    void answers(const LoopCore* loop, const std::string& text) noexcept {
        std::lock_guard lock(mutex_);
        if (is_over_) return;
        write_to_stderr(text.data(), text.size());
        silent_.erase(std::find(silent_.begin(), silent_.end(), loop));
        changed_.notify_one();
    }
    void wait(std::chrono::seconds limit) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [&] { return silent_.empty(); });
        is_over_ = true;
    }
    /// After that.
    bool is_silent(const LoopCore* loop) const noexcept {
        return std::find(silent_.begin(), silent_.end(), loop) != silent_.end();
    }

private:
    std::vector<Loop> loops_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<const LoopCore*> silent_;
    bool is_over_ = false;
};

class Question final : public Message {
public:
    Question(std::shared_ptr<AskedLoops> asked, const LoopCore* loop) noexcept
        : asked_(std::move(asked)), loop_(loop) {}
    ~Question() override { tell(""); }  // the loop was closed

private:
    void deliver() override {
        try {
            tell(text_of_loop(task_loop(*running_core_or_null())));
        } catch (const std::bad_alloc&) {
            write_to_stderr("dump_tasks_on: no memory\n", 25);
        }
    }
    void tell(const std::string& text) noexcept {
        if (std::shared_ptr<AskedLoops> asked = std::move(asked_)) asked->answers(loop_, text);
    }

    std::shared_ptr<AskedLoops> asked_;
    const LoopCore* loop_;
};

void write_of_loop(const LoopCore* loop, const char* rest) noexcept {
    char text[128];
    int size = std::snprintf(text, sizeof text, "loop at %p%s\n", static_cast<const void*>(loop), rest);
    write_to_stderr(text, static_cast<std::size_t>(size));
}

void ask_all_loops() {
    auto asked = std::make_shared<AskedLoops>();
    for (const AskedLoops::Loop& loop : asked->loops()) {
        if (loop.runs) Message::send(new Question(asked, loop.address), *loop.inbox);
    }
    asked->wait(std::chrono::seconds(1));
    for (const AskedLoops::Loop& loop : asked->loops()) {
        if (!loop.runs) write_of_loop(loop.address, " does not run");
        if (!loop.runs || !asked->is_silent(loop.address)) continue;
        write_of_loop(loop.address, " does not turn: its thread is in one step for more than a second");
        if (!ask_thread(loop.thread)) write_to_stderr("  its thread does not take the signal\n", 38);
    }
    if (asked->loops().empty()) write_to_stderr("no loop\n", 8);
}

void answer_with_tasks() noexcept {
    try {
        ask_all_loops();
    } catch (...) {
        write_to_stderr("dump_tasks_on: no memory\n", 25);
    }
}

}  // namespace
}  // namespace asyncio::detail

void asyncio::dump_tasks_on(int signum) {
    detail::answer_signal(signum, {&detail::answer_with_tasks, &detail::write_what_this_thread_runs});
}

void asyncio_dump_tasks() noexcept {
    using namespace asyncio::detail;
    try {
        StandingNames names;
        std::string text;
        for (LoopCore* loop = all_loops.first_of_standing(); loop != nullptr;
             loop = AllLoops::next_of_standing(*loop)) {
            text += text_of_loop(task_loop(*loop));
        }
        if (text.empty()) text = "no loop\n";
        std::fwrite(text.data(), 1, text.size(), stderr);
    } catch (...) {
        std::fputs("asyncio_dump_tasks: no memory\n", stderr);
    }
}
