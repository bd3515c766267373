#pragma once

// What a printed program of the conformance language stands on. Python's side: python/prelude.py.

#include <asyncio/asyncio.h>

#include "printed_sources.h"
#include "printed_things.h"

#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace printed {

inline ContextRef in_context(std::size_t slot) {
    return contexts.has(slot) ? ContextRef(contexts[slot]) : ContextRef();
}
inline std::string moment(std::optional<TimePoint> when) {
    return when ? std::to_string(std::lround(when->seconds() / tick.count())) : "None";
}
inline std::string describe_or_none(const std::exception_ptr& error) { return error ? describe(error) : "-"; }

inline AnyTask logging_factory(EventLoop&, NewTask task, const TaskOptions& options) {
    std::string name = options.name.empty() ? "-" : std::string(options.name);
    log("factory", name, options.eager_start ? text(*options.eager_start) : "-");
    return task.start(options);
}

inline bool predicate(std::size_t flag) {
    log("predicate", static_cast<int>(flag), flags[flag]);
    if (flags[flag] == 2) throw ValueError("predicate");
    return flags[flag] == 1;
}

inline void log_item(const char* name, int slot, const std::optional<int>& item) {
    if (item) {
        log(name, slot, "=", *item);
    } else {
        log(name, slot, "end");
    }
}

/// The main task is in slot 0.
inline Coro<int> in_slot(Function main) {
    s.set(0, current_task(loop()));
    int value = co_await main();
    co_return value;
}

inline int run(std::initializer_list<Function> mains) {
    std::vector<conformance::Trace::Main> all;
    for (Function main : mains) {
        all.push_back([main] { return in_slot(main); });
    }
    trace.run(all);
    s = {};
    g = {};
    c = {};
    callbacks = {};
    handles = {};
    contexts = {};
    tokens = {};
    timeouts = {};
    groups = {};
    parts.clear();
    for (const std::string& line : trace.lines()) std::puts(line.c_str());
    return 0;
}

}  // namespace printed

using namespace printed;
