#include <asyncio/introspect/call_graph.h>

#include "core/task_loop.h"
#include "core/wait_story.h"
#include "introspect/awaiters.h"

#include <algorithm>
#include <cstdlib>

namespace asyncio {
namespace detail {
namespace {

constexpr std::size_t most_entries = 10'000;
constexpr std::size_t deepest = 100;

class GraphMaker {
public:
    GraphMaker(LoopCore& loop, CallGraphOptions options)
        : running_(current_task_of(loop)), awaiters_(loop), generators_(loop), options_(options) {}

    FutureCallGraph of(FutureBase& future) {
        ++entries_;
        FutureCallGraph graph;
        graph.future = AnyFuture(Ref<FutureBase>(&future));
        if (future.kind() == FutureBase::Kind::task) {
            auto& task = static_cast<TaskBase&>(future);
            graph.call_stack = stack_of(task);
            if (&task != running_) graph.waits_for = story_of(task).text;
        }
        bool is_new = std::find(path_.begin(), path_.end(), &future) == path_.end();
        if (!is_new || path_.size() >= deepest) return graph;
        path_.push_back(&future);
        for (TaskBase* task : awaiters_.of(future)) {
            if (entries_ < most_entries) graph.awaited_by.push_back(of(*task));
        }
        path_.pop_back();
        return graph;
    }

private:
    std::vector<FrameCallGraphEntry> stack_of(const TaskBase& task) const {
        std::vector<FrameCallGraphEntry> stack;
        if (!task.root() || options_.limit == 0) return stack;
        int skipped = &task == running_ && path_.empty() ? std::max(options_.depth, 1) - 1 : 0;
        for (std::coroutine_handle<> frame = task.innermost(); frame; frame = PromiseBase::of(frame).parent()) {
            if (skipped-- > 0) continue;
            const PromiseBase& promise = PromiseBase::of(frame);
            stack.push_back({stack_entry({promise.function(), promise.await_at()}), generators_.has(frame)});
        }
        if (!options_.limit) return stack;
        auto most = static_cast<std::size_t>(std::abs(static_cast<long>(*options_.limit)));
        if (most >= stack.size()) return stack;
        auto left = static_cast<std::ptrdiff_t>(most);
        if (*options_.limit > 0) {
            stack.erase(stack.begin(), stack.end() - left);
        } else {
            stack.erase(stack.begin() + left, stack.end());
        }
        return stack;
    }

    const TaskBase* running_;
    Awaiters awaiters_;
    GeneratorFrames generators_;
    CallGraphOptions options_;
    std::vector<const FutureBase*> path_;
    std::size_t entries_ = 0;
};

// CPython: graph.py, render_level
void render(const FutureCallGraph& graph, std::size_t level, bool with_waits, std::string& text) {
    auto add_line = [&](const std::string& line) {
        if (!text.empty()) text += '\n';
        text += std::string(level * 4, ' ') + line;
    };
    const FutureBase* state = graph.future.state_or_null();
    char id[32];
    std::snprintf(id, sizeof id, "%p", static_cast<const void*>(state));
    if (graph.is_task()) {
        add_line("* Task(name=" + detail::quoted(static_cast<const TaskBase*>(state)->name()) + ", id=" + id + ")");
    } else {
        add_line(std::string("* Future(id=") + id + ")");
    }
    if (!graph.call_stack.empty()) add_line("  + Call stack:");
    for (const FrameCallGraphEntry& entry : graph.call_stack) {
        add_line("  |   File " + detail::quoted(entry.frame.file) + ", line " + std::to_string(entry.frame.line) +
                 ", in " + (entry.is_generator ? "async generator " : "async ") + entry.frame.function + "()");
    }
    if (with_waits && !graph.waits_for.empty()) add_line("  + Waits for: " + graph.waits_for);
    if (!graph.awaited_by.empty()) add_line("  + Awaited by:");
    for (const FutureCallGraph& awaiter : graph.awaited_by) render(awaiter, level + 1, with_waits, text);
}

std::string rendered(const std::optional<FutureCallGraph>& graph, CallGraphOptions options) {
    std::string text;
    if (graph) render(*graph, 0, options.waits_for, text);
    return text;
}

void print(const std::string& text, std::FILE* file) {
    std::string line = text + "\n";
    std::fwrite(line.data(), 1, line.size(), file);
}

}  // namespace
}  // namespace detail

bool FutureCallGraph::is_task() const noexcept {
    return future && future.state_or_null()->kind() == detail::FutureBase::Kind::task;
}

std::optional<FutureCallGraph> capture_call_graph(const AnyFuture& future, CallGraphOptions options) {
    detail::FutureBase* state = future.state_or_null();
    if (state == nullptr) detail::throw_empty_handle();
    state->loop().check_thread();
    return detail::GraphMaker(state->loop(), options).of(*state);
}

std::optional<FutureCallGraph> capture_call_graph(CallGraphOptions options) {
    detail::LoopCore* loop = detail::running_core_or_null();
    if (loop == nullptr) {
        throw RuntimeError(
            "capture_call_graph() is called outside of a running event loop and no *future* to introspect was "
            "provided");
    }
    detail::TaskBase* task = detail::current_task_of(*loop);
    if (task == nullptr) return std::nullopt;
    return detail::GraphMaker(*loop, options).of(*task);
}

std::string format_call_graph(const AnyFuture& future, CallGraphOptions options) {
    return detail::rendered(capture_call_graph(future, options), options);
}
std::string format_call_graph(CallGraphOptions options) {
    return detail::rendered(capture_call_graph(options), options);
}

void print_call_graph(const AnyFuture& future, CallGraphOptions options, std::FILE* file) {
    detail::print(format_call_graph(future, options), file);
}
void print_call_graph(CallGraphOptions options, std::FILE* file) { detail::print(format_call_graph(options), file); }

}  // namespace asyncio
