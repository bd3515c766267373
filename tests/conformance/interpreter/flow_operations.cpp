#include "operations.h"
#include "run.h"

namespace conformance {

using asyncio::Coro;

namespace {

Coro<Flow> do_return(Run&, const Node& s) { co_return s[1].number; }

Coro<Flow> do_raise(Run&, const Node& s) {
    std::rethrow_exception(make_error(s[1]));
    co_return std::nullopt;
}

Coro<Flow> do_sleep(Run& run, const Node& s) {
    co_await asyncio::sleep(s[1].number * tick.count());
    run.log("sleep", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_call(Run& run, const Node& s) {
    int value = co_await run.call(s[1].number, nullptr);
    run.log("call", s[1].number, "=", value);
    co_return std::nullopt;
}

Coro<Flow> do_loop(Run& run, const Node& s) {
    for (int i = 0; i < s[1].number && !run.is_tired(); ++i) {
        Flow flow = co_await run.block(s[2]);
        if (flow) co_return flow;
    }
    co_return std::nullopt;
}

/// Runs a block; its error goes to `error` instead of being thrown.
Coro<Flow> guarded(Run& run, const Node& statements, std::exception_ptr& error) {
    Flow flow;
    try {
        flow = co_await run.block(statements);
    } catch (...) {
        error = std::current_exception();
    }
    co_return flow;
}

Coro<Flow> do_try(Run& run, const Node& s) {
    std::exception_ptr error;
    Flow flow = co_await guarded(run, s[1], error);
    if (error) {
        for (const Node& handler : s[2].list) {
            if (!matches(error, handler[0].text)) continue;
            run.log("except", handler[0].text, describe(error));
            std::exception_ptr was = std::exchange(error, nullptr);
            flow = co_await guarded(run, handler[2], error);
            if (error || flow) break;
            const Node& action = handler[1];
            if (action.is_list) {
                error = make_error(action);
            } else if (action.text == "reraise") {
                error = was;
            }
            break;
        }
    } else if (s[3].size() > 0 && !flow) {
        flow = co_await guarded(run, s[3], error);
    }
    if (s[4].size() > 0) {
        std::exception_ptr last_error;
        Flow last = co_await guarded(run, s[4], last_error);
        if (last_error) {
            error = last_error;
        } else if (last) {
            flow = last;
            error = nullptr;
        }
    }
    if (error) std::rethrow_exception(error);
    co_return flow;
}

Coro<Flow> do_except_star(Run& run, const Node& s) {
    std::exception_ptr error;
    Flow flow = co_await guarded(run, s[1], error);
    if (!error) co_return flow;
    auto* group = asyncio::detail::exception_cast<asyncio::BaseExceptionGroup>(error);
    if (group == nullptr) std::rethrow_exception(error);
    const std::string& pattern = s[2].text;
    auto parts = group->split([&pattern](const std::exception_ptr& one) { return matches(one, pattern); });
    run.log("except*", parts.matched ? describe(parts.matched) : "-", parts.rest ? describe(parts.rest) : "-");
    if (parts.matched) {
        flow = co_await run.block(s[3]);
    }
    if (parts.rest) std::rethrow_exception(parts.rest);
    co_return flow;
}

template <class T>
Coro<> await_typed(const ItemRef& item) {
    auto future = item->future.as<T>();
    co_await future;
}

Coro<> await_item(ItemRef item) {
    using asyncio::None;
    using asyncio::Result;
    switch (item->kind) {
        case Item::Kind::number:
            if (item->is_task()) {
                auto task = item->task().as<int>();
                co_await task;
            } else {
                co_await await_typed<int>(item);
            }
            break;
        case Item::Kind::list:
            co_await await_typed<std::vector<int>>(item);
            break;
        case Item::Kind::results:
            co_await await_typed<std::vector<Result<int>>>(item);
            break;
        case Item::Kind::pair:
            co_await await_typed<std::tuple<int, int>>(item);
            break;
        case Item::Kind::pair_results:
            co_await await_typed<std::tuple<Result<int>, Result<int>>>(item);
            break;
        default:
            co_await item->future;
    }
}

Coro<Flow> do_await(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item) {
        run.log("await", s[1].number, "empty");
        co_return std::nullopt;
    }
    bool own = item->future == run.current();
    if (run.is_poisoned(*item) || (!own && run.would_circle(*item))) {
        run.log("await", s[1].number, "circle");
        co_return std::nullopt;
    }
    if (own) run.poisoned.push_back(item->future);  // in CPython nobody, not even itself, can await it any more
    Waiting waiting(run, item);
    co_await await_item(item);
    run.log("await", s[1].number, "=", text_of_result(*item));
    co_return std::nullopt;
}

Coro<Flow> do_await_task(Run& run, const Node& s) {
    auto create = [](Coro<int> coro, const asyncio::TaskOptions& options) {
        return asyncio::create_task(std::move(coro), options);
    };
    auto task = run.new_task(create, s[1].number, s[2].text, s[3].number, -1);
    auto item = std::make_shared<Item>(Item{task});
    if (run.would_circle(*item)) {
        run.log("await_task", "circle");
        co_return std::nullopt;
    }
    Waiting waiting(run, item);
    int value = co_await std::move(task);
    run.log("await_task", "=", value);
    co_return std::nullopt;
}

}  // namespace

std::string text_of_result(const Item& item) {
    using asyncio::None;
    using asyncio::Result;
    auto of_result = [](const auto& result) {
        if (!result) return describe(result.exception());
        if constexpr (std::is_same_v<std::decay_t<decltype(*result)>, None>) {
            return std::string("None");
        } else {
            return text(*result);
        }
    };
    switch (item.kind) {
        case Item::Kind::number:
            return text(item.is_task() ? item.task().as<int>().result() : item.future.as<int>().result());
        case Item::Kind::list:
            return text_of_list(item.future.as<std::vector<int>>().result());
        case Item::Kind::results: {
            std::vector<std::string> all;
            for (auto& result : item.future.as<std::vector<Result<int>>>().result()) all.push_back(of_result(result));
            return text_of_list(all);
        }
        case Item::Kind::pair: {
            auto& [a, b] = item.future.as<std::tuple<int, int>>().result();
            return text_of_list(std::vector<int>{a, b});
        }
        case Item::Kind::pair_results: {
            auto& [a, b] = item.future.as<std::tuple<Result<int>, Result<int>>>().result();
            return text_of_list(std::vector<std::string>{of_result(a), of_result(b)});
        }
        case Item::Kind::mixed: {
            item.future.as<std::vector<None>>().result();
            std::vector<std::string> all;
            for (auto& part : item.parts) all.push_back(text_of_result(*part));
            return text_of_list(all);
        }
        case Item::Kind::mixed_results: {
            auto& results = item.future.as<std::vector<Result<None>>>().result();
            std::vector<std::string> all;
            for (std::size_t i = 0; i < results.size(); ++i) {
                all.push_back(results[i] ? text_of_result(*item.parts[i]) : of_result(results[i]));
            }
            return text_of_list(all);
        }
    }
    return {};
}

std::string outcome(const Item& item) {
    if (!item.future.done()) return "pending";
    if (item.future.cancelled()) return "cancelled";
    std::exception_ptr error = item.future.exception();
    return error ? "! " + describe(error) : text_of_result(item);
}

Operations flow_operations() {
    return {.plain = {},
            .awaiting = {{"return", do_return},
                         {"raise", do_raise},
                         {"sleep", do_sleep},
                         {"call", do_call},
                         {"loop", do_loop},
                         {"try", do_try},
                         {"except_star", do_except_star},
                         {"await", do_await},
                         {"await_task", do_await_task}}};
}

}  // namespace conformance
