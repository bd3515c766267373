#pragma once

// What a printed program keeps, and how it tells what it sees.

#include <asyncio/asyncio.h>

#include "slots.h"
#include "text.h"
#include "trace.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace printed {

using namespace asyncio;
using conformance::describe;
using conformance::matches;
using conformance::shown_repr;
using conformance::text;
using conformance::text_of_list;
using conformance::tick;
using conformance::x_var;
using conformance::y_var;
using conformance::z_var;

/// What a statement left to do: nothing, or to return this value from the function.
using Flow = std::optional<int>;

inline conformance::Trace trace;

template <class... Words>
void log(const Words&... words) {
    trace.log(words...);
}
inline EventLoop& loop() { return trace.loop(); }

/// Where a program keeps what it has made; looking into an empty slot ends the statement.
template <class T>
class Slots {
public:
    T& operator[](std::size_t slot) {
        if (!has(slot)) throw conformance::Empty();
        return *all_[slot];
    }
    void set(std::size_t slot, T value) { all_[slot].emplace(std::move(value)); }
    bool has(std::size_t slot) const { return all_[slot].has_value(); }
    void clear(std::size_t slot) { all_[slot].reset(); }

private:
    static constexpr std::size_t size = 5;
    std::array<std::optional<T>, size> all_;
};

struct Callback {
    AnyFuture future;
    CallbackId id;
};
inline Slots<AnyFuture> s;
inline Slots<std::shared_ptr<AsyncGenerator<int>>> g;
inline Slots<std::function<Coro<bool>(const char* how)>> c;
inline Slots<Callback> callbacks;
inline Slots<Handle> handles;
inline Slots<Context> contexts;
inline Slots<Token> tokens;
inline Slots<std::shared_ptr<Timeout>> timeouts;
inline Slots<std::shared_ptr<TaskGroup>> groups;
inline std::array<int, 2> flags{};

/// Thrown when what stands in a slot is not of the kind that a statement wants.
constexpr int no_slot = -2;
struct Unfit {
    int slot;
    const char* why;
};

// Statements.

/// One that never waits: what it throws is only noted.
template <class Body>
void plain(const char* name, const Body& body) {
    try {
        body();
    } catch (const conformance::Empty&) {
        log(name, "empty");
    } catch (const Unfit& unfit) {
        if (unfit.slot == no_slot) return log(name, unfit.why);
        log(name, unfit.slot, unfit.why);
    } catch (const std::exception&) {
        log(name, "!", describe(std::current_exception()));
    } catch (const CancelledError&) {
        log(name, "!", describe(std::current_exception()));
    }
}

/// One that is awaited: says what it throws. The body is a coroutine lambda, of a Flow or of nothing.
template <class Body>
auto step(const char* name, const Body& body) -> decltype(body()) {
    try {
        if constexpr (std::is_void_v<await_result_t<decltype(body())>>) {
            co_await body();
        } else {
            auto flow = co_await body();
            co_return flow;
        }
    } catch (const conformance::Empty&) {
        log(name, "empty");
    } catch (...) {
        log(name, "!", describe(std::current_exception()));
        throw;
    }
    if constexpr (!std::is_void_v<await_result_t<decltype(body())>>) co_return std::nullopt;
}

/// How the block of a try statement ended.
struct Ending {
    std::exception_ptr error;
    Flow flow;
};
template <class Body>
Coro<Ending> ending_of(const Body& body) {
    Ending ending;
    try {
        if constexpr (std::is_void_v<await_result_t<decltype(body())>>) {
            co_await body();
        } else {
            ending.flow = co_await body();
        }
    } catch (...) {
        ending.error = std::current_exception();
    }
    co_return ending;
}
inline bool is(const Ending& ending, const char* pattern) { return ending.error && matches(ending.error, pattern); }
/// Behind a clean-up that ended like this: what it left to do, or what the block before it did.
inline Flow end(const Ending& block, const Ending& cleanup = {}) {
    if (cleanup.error) std::rethrow_exception(cleanup.error);
    if (cleanup.flow) return cleanup.flow;
    if (block.error) std::rethrow_exception(block.error);
    return block.flow;
}

inline Coro<int> function(int number, Coro<Flow> (*body)()) {
    log("start", number, x_var.get(), y_var.get());
    Flow flow;
    try {
        flow = co_await body();
    } catch (const GeneratorExit&) {
        throw RuntimeError("GeneratorExit");  // differs: `GeneratorExit` out of a task
    }
    log("return", number, flow.value_or(0));
    co_return flow.value_or(0);
}

template <class... Errors>
std::exception_ptr group_of(const char* message, const Errors&... errors) {
    std::vector<std::exception_ptr> all{errors...};
    return make_exception_group(message, std::move(all));
}

// Futures and tasks.

inline AnyTask own_task(int slot = no_slot) {
    AnyTask task = current_task(loop());
    if (!task) throw Unfit{slot, "no task"};
    return task;
}
/// The task in a slot, or the current one.
inline AnyTask task_at(int slot) {
    if (slot < 0) return own_task(slot);
    detail::FutureBase* state = s[static_cast<std::size_t>(slot)].state_or_null();
    if (state->kind() != detail::FutureBase::Kind::task) throw Unfit{slot, "no task"};
    return AnyTask(detail::Ref<detail::FutureBase>(state));
}
inline bool is_number(const AnyFuture& future) { return future.state_or_null()->result_type() == typeid(int); }
inline Future<int> number_at(int slot) {
    AnyFuture future = s[static_cast<std::size_t>(slot)];
    if (!is_number(future)) throw Unfit{slot, "no number"};
    return future.as<int>();
}

/// What a gather() of futures of any kind was given, and a shield() of one: their values are not in its result.
inline std::map<detail::FutureBase*, std::vector<AnyFuture>> parts;

template <class First, class... More, class Body>
auto with_type_of(const AnyFuture& future, const Body& body) {
    if constexpr (sizeof...(More) > 0) {
        if (future.state_or_null()->result_type() != typeid(First)) return with_type_of<More...>(future, body);
    }
    return body(future.as<First>());
}
/// Calls the body with the future as a handle of its type.
template <class Body>
auto with_type(const AnyFuture& future, const Body& body) {
    return with_type_of<int, std::vector<int>, std::vector<Result<int>>, std::vector<None>, std::vector<Result<None>>>(
        future, body);
}

inline std::string result_text(const AnyFuture& future, int depth = 0);
inline std::string value_text(const std::vector<AnyFuture>&, std::size_t, int value, int) { return text(value); }
inline std::string value_text(const std::vector<AnyFuture>& given, std::size_t i, None, int depth) {
    return i < given.size() ? result_text(given[i], depth) : "None";
}
template <class T>
std::string value_text(const std::vector<AnyFuture>& given, std::size_t i, const Result<T>& result, int depth) {
    return result ? value_text(given, i, *result, depth) : describe(result.exception());
}
template <class T>
std::string value_text(const std::vector<AnyFuture>& given, std::size_t, const std::vector<T>& values, int depth) {
    if (depth == conformance::deepest_text) return "[...]";
    std::vector<std::string> all;
    for (const T& value : values) all.push_back(value_text(given, all.size(), value, depth + 1));
    return text_of_list(all);
}
inline std::string result_text(const AnyFuture& future, int depth) {
    return with_type(
        future, [&](const auto& typed) { return value_text(parts[future.state_or_null()], 0, typed.result(), depth); });
}
inline std::string outcome(const AnyFuture& future) {
    if (!future.done()) return "pending";
    if (future.cancelled()) return "cancelled";
    std::exception_ptr error = future.exception();
    return error ? "! " + describe(error) : result_text(future);
}
inline void set_exception(const AnyFuture& future, const std::exception_ptr& error) {
    with_type(future, [&](auto typed) {
        if (future.state_or_null()->kind() == detail::FutureBase::Kind::task) {
            throw RuntimeError("Task does not support set_exception operation");
        }
        typed.set_exception(error);
    });
}
/// Its own type is what it is waited for with, so that nothing is taken out of it.
inline AnyFuture shielded(const AnyFuture& future) {
    return with_type(future, [&](const auto& typed) {
        AnyFuture outer = shield(typed);
        if (outer != future) parts[outer.state_or_null()] = parts[future.state_or_null()];
        return outer;
    });
}

}  // namespace printed
