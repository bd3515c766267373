#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

namespace support {

/// As test_graph.py's walk(): `T<name>[a f, a g](awaiter, awaiter)`; `ag` is a generator.
inline std::string walked(const asyncio::FutureCallGraph& graph) {
    std::string text = "F";
    if (graph.is_task()) {
        std::string name = static_cast<asyncio::detail::TaskBase*>(graph.future.state_or_null())->name();
        text = "T<" + (name.find('-') == std::string::npos ? name : "anon") + ">";
    }
    text += "[";
    for (const asyncio::FrameCallGraphEntry& entry : graph.call_stack) {
        std::string name = entry.frame.function;
        name = std::regex_replace(name, std::regex("^.*CallGraph_\\w+_Test::TestBody::<lambda>"), "test");
        name = std::regex_replace(name, std::regex("^asyncio::"), "");
        text += (text.back() == '[' ? "" : ", ") + std::string(entry.is_generator ? "ag " : "a ") + name;
    }
    text += "]";
    std::vector<std::string> awaiters;
    for (const asyncio::FutureCallGraph& awaiter : graph.awaited_by) awaiters.push_back(walked(awaiter));
    std::sort(awaiters.begin(), awaiters.end());
    text += "(";
    for (const std::string& awaiter : awaiters) text += (text.back() == '(' ? "" : ", ") + awaiter;
    return text + ")";
}

inline std::string walk(asyncio::CallGraphOptions options = {}) {
    return walked(*asyncio::capture_call_graph(options));
}
inline std::string walk(const asyncio::AnyFuture& future) { return walked(*asyncio::capture_call_graph(future)); }

}  // namespace support
