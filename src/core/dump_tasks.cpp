#include <asyncio/core/dump_tasks.h>

#include "core/task_loop.h"
#include "core/wait_story.h"
#include "loop/all_loops.h"

#include <cstdio>
#include <string>

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

}  // namespace
}  // namespace asyncio::detail

void asyncio_dump_tasks() noexcept {
    using namespace asyncio::detail;
    try {
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
