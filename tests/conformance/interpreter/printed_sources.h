#pragma once

// What a printed program gathers and completes.

#include <asyncio/asyncio.h>

#include "printed_things.h"

#include <functional>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace printed {

using Function = Coro<int> (*)();
using Source = std::variant<int, Function>;  // a slot, or a function to call

/// The futures in those slots that are not empty, and tasks of functions.
class Sources {
public:
    Sources(std::initializer_list<Source> sources) {
        for (const Source& source : sources) {
            if (const Function* call = std::get_if<Function>(&source)) {
                all.push_back(create_task((*call)()));
                given.emplace_back();
            } else if (auto slot = static_cast<std::size_t>(std::get<int>(source)); s.has(slot)) {
                all.push_back(s[slot]);
                given.push_back(s[slot]);
            }
            if (!all.empty()) are_numbers = are_numbers && is_number(all.back());
        }
    }
    std::vector<Future<int>> numbers() const {
        std::vector<Future<int>> found;
        for (const AnyFuture& one : all) found.push_back(one.as<int>());
        return found;
    }

    std::vector<AnyFuture> all;
    std::vector<AnyFuture> given;  // empty in the place of a function
    bool are_numbers = true;
};

template <class... Mode>
AnyFuture gathered(std::initializer_list<Source> list, Mode... mode) {
    std::vector<std::variant<AnyFuture, Function>> sources;
    bool are_numbers = true;
    for (const Source& source : list) {
        if (const Function* call = std::get_if<Function>(&source)) {
            sources.push_back(*call);
        } else if (auto slot = static_cast<std::size_t>(std::get<int>(source)); s.has(slot)) {
            sources.push_back(s[slot]);
            are_numbers = are_numbers && is_number(s[slot]);
        }
    }
    // One after the other, as gather() comes to them: a task that starts eagerly may change those after it.
    std::vector<AnyFuture> all;
    auto take = [&](const auto& source) -> AnyFuture {
        if (const Function* call = std::get_if<Function>(&source)) {
            all.push_back(create_task((*call)()));
            static_cast<detail::TaskBase*>(all.back().state_or_null())->do_not_report_pending();
        } else {
            all.push_back(std::get<AnyFuture>(source));
        }
        return all.back();
    };
    auto take_number = [&](const auto& source) { return take(source).template as<int>(); };
    if (are_numbers) return gather(mode..., sources | std::views::transform(take_number));
    AnyFuture result = gather(mode..., sources | std::views::transform(take));
    parts[result.state_or_null()] = std::move(all);
    return result;
}

inline std::string positions(const std::vector<AnyFuture>& given, const std::vector<AnyFuture>& found) {
    std::vector<int> where;
    for (std::size_t i = 0; i < given.size(); ++i) {
        for (const AnyFuture& one : found) {
            if (one == given[i]) where.push_back(static_cast<int>(i));
        }
    }
    return text_of_list(where);
}

// as_completed: one step; false when it is over.

template <class Iteration>
Coro<bool> completed_plain(Iteration iteration) {
    auto begin = iteration.begin();
    if (!(begin != iteration.end())) co_return false;
    auto next = *begin;
    try {
        if constexpr (std::is_void_v<await_result_t<decltype(next)>>) {
            co_await next;
            log("completed", "-");
        } else {
            int value = co_await next;
            log("completed", value);
        }
    } catch (const std::exception&) {
        log("completed", "!", describe(std::current_exception()));
    }
    co_return true;
}
template <class Iteration>
Coro<bool> completed_async(Iteration iteration, std::vector<AnyFuture> given, bool are_numbers) {
    auto future = co_await iteration.next();
    if (!future) co_return false;
    log("completed", positions(given, {*future}), are_numbers ? outcome(*future) : "-");
    co_return true;
}
template <class Iteration>
Coro<bool> completed_drop(Iteration iteration) {
    auto begin = iteration.begin();
    if (!(begin != iteration.end())) co_return false;
    static_cast<void>(*begin);
    log("completed", "dropped");
    co_return true;
}

/// An as_completed() under way: each call is a step.
inline std::function<Coro<bool>(const char* how)> completing(std::initializer_list<Source> list,
                                                             std::optional<Seconds> timeout) {
    Sources sources(list);
    auto steps = [given = sources.given, are_numbers = sources.are_numbers](auto iteration) {
        return [iteration, given, are_numbers](const char* how) {
            if (*how == 'p') return completed_plain(iteration);
            return *how == 'a' ? completed_async(iteration, given, are_numbers) : completed_drop(iteration);
        };
    };
    if (sources.are_numbers) return steps(as_completed(sources.numbers(), {.timeout = timeout}));
    return steps(as_completed(sources.all, {.timeout = timeout}));
}

}  // namespace printed
