#include <asyncio/core/stack.h>

#include "core/stack_text.h"
#include "core/task_loop.h"
#include "errors/function_name.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>

namespace asyncio {
namespace detail {

StackEntry stack_entry(const FramePlace& place) {
    return {function_name(place.function.function_name()), place.await_at.file_name(),
            static_cast<int>(place.await_at.line()), place.has_awaited()};
}

/// Of one that has not come to an await the line is left out: with g++ it is the bracket that ends it.
std::string text_of_entry(const StackEntry& entry, const std::string& behind) {
    std::string text = "  File \"" + entry.file + "\", line " + std::to_string(entry.line) + ", in " + entry.function;
    if (!entry.has_awaited) return text + " (before its first await)" + behind + "\n";
    text += behind + "\n";
    std::ifstream source(entry.file);
    std::string line;
    for (int i = 0; i < entry.line && source; ++i) std::getline(source, line);
    std::size_t first = source ? line.find_first_not_of(" \t") : std::string::npos;
    if (first != std::string::npos) text += "    " + line.substr(first) + "\n";
    return text;
}

void print_stack(const TaskBase& task, std::optional<int> limit, std::FILE* file) {
    std::vector<StackEntry> stack = task.stack(limit);
    std::string name = repr(AnyTask(Ref<FutureBase>(const_cast<TaskBase*>(&task))));
    const std::exception_ptr& error = task.peek_exception();
    bool failed = error && !task.cancelled();
    std::string text = (stack.empty() ? "No stack for " + name
                        : failed      ? "Traceback for " + name + " (most recent call last):"
                                      : "Stack for " + name + " (most recent call last):") +
                       "\n" + format_stack(stack);
    if (failed) {
        std::string said = str(error);
        text += type_name(error) + (said.empty() ? "" : ": " + said) + "\n";
    }
    std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace detail

std::string format_stack(const std::vector<StackEntry>& stack) {
    std::string text;
    for (const StackEntry& entry : stack) text += detail::text_of_entry(entry);
    return text;
}

}  // namespace asyncio
