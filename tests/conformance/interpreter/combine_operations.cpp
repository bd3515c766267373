// Statements on several futures at once: gather, shield, wait, wait_for.
#include "operations.h"
#include "run.h"
#include "sources.h"

#include <algorithm>
#include <ranges>

namespace conformance {

using asyncio::AnyFuture;
using asyncio::Coro;
using asyncio::Future;
using asyncio::Result;

namespace {

template <class Both>
Future<Both> gather_pair(const Sources& sources, auto... mode) {
    if (sources.is_item(0) && sources.is_item(1)) return gather(mode..., sources.number(0), sources.number(1));
    if (sources.is_item(0)) return gather(mode..., sources.number(0), sources.coroutine(1));
    if (sources.is_item(1)) return gather(mode..., sources.coroutine(0), sources.number(1));
    auto first = sources.coroutine(0);
    return gather(mode..., std::move(first), sources.coroutine(1));
}

/// What gather() returns, with `mode` nothing or return_exceptions; sets the kind, given without exceptions.
template <class... Mode>
AnyFuture gather_sources(const Sources& sources, Item& result, Mode... mode) {
    using asyncio::gather;
    constexpr bool exceptions = sizeof...(Mode) > 0;
    // One after the other, as gather() comes to them: a task that starts eagerly may change those after it.
    auto each = [&](auto source) {
        return std::views::iota(std::size_t{0}, sources.size()) | std::views::transform(source);
    };
    using Value = std::conditional_t<exceptions, Result<int>, int>;
    if (!sources.all_numbers()) {
        result.kind = exceptions ? Item::Kind::mixed_results : Item::Kind::mixed;
        return gather(mode..., each([&](std::size_t i) { return sources.future(i, result.parts); }));
    }
    if (sources.size() == 2) {
        result.kind = exceptions ? Item::Kind::pair_results : Item::Kind::pair;
        return gather_pair<std::tuple<Value, Value>>(sources, mode...);
    }
    result.kind = exceptions ? Item::Kind::results : Item::Kind::list;
    if (sources.all_coroutines()) return gather(mode..., sources.coroutines());
    return gather(mode..., each([&](std::size_t i) { return sources.number(i); }));
}

void do_gather(Run& run, const Node& s) {
    auto result = std::make_shared<Item>();
    Sources sources(run, s[3], result);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (sources.is_item(i)) result->children.push_back(sources.item(i));
    }
    if (s[2].number != 0) {
        result->future = gather_sources(sources, *result, asyncio::return_exceptions);
    } else {
        result->future = gather_sources(sources, *result);
    }
    run.items.set(s[1], result);
    run.log("gather", s[1].number, result->future.done());
}

/// Not given away, so that the inner future keeps its value.
AnyFuture shield_item(const Item& item) {
    if (item.kind == Item::Kind::mixed) {
        auto future = item.future.as<std::vector<asyncio::None>>();
        return asyncio::shield(future);
    }
    if (item.kind == Item::Kind::mixed_results) {
        auto future = item.future.as<std::vector<Result<asyncio::None>>>();
        return asyncio::shield(future);
    }
    return with_type(item, [](const auto& future) { return AnyFuture(asyncio::shield(future)); });
}

void do_shield(Run& run, const Node& s) {
    ItemRef item;
    if (s[2].is_list) {
        item = std::make_shared<Item>(Item{asyncio::shield(run.call(s[2][1].number))});
    } else {
        item = run.items.at(s[2]);
        AnyFuture outer = shield_item(*item);
        if (outer != item->future) item = std::make_shared<Item>(Item{outer, item->kind, {}, item->parts});
    }
    run.items.set(s[1], item);
    run.log("shield", s[1].number, item->future.done());
}

template <class Handle>
Coro<> wait_for_handle(Handle future, std::optional<asyncio::Seconds> timeout) {
    co_await asyncio::wait_for(future, timeout);
}

Coro<> wait_for_item(const Item& item, std::optional<asyncio::Seconds> timeout) {
    return with_type(item, [&](auto future) { return wait_for_handle(std::move(future), timeout); });
}

Coro<Flow> do_wait_for(Run& run, const Node& s) {
    std::optional<asyncio::Seconds> timeout = limit(s[2]);
    if (s[1].is_list) {
        Coro<int> coroutine = run.call(s[1][1].number);
        int value = co_await asyncio::wait_for(std::move(coroutine), timeout);
        run.log("wait_for", "=", value);
        co_return std::nullopt;
    }
    ItemRef item = run.items.at(s[1]);
    if (run.waits.is_spoilt(*item) || run.waits.would_circle(run.current(), *item)) {
        run.log("wait_for", "circle");
        co_return std::nullopt;
    }
    Waiting waiting(run.waits, run.current(), item);
    co_await wait_for_item(*item, timeout);
    run.log("wait_for", "=", text_of_result(*item));
    co_return std::nullopt;
}

std::string positions(const std::vector<AnyFuture>& all, const std::vector<AnyFuture>& found) {
    std::vector<int> where;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (std::find(found.begin(), found.end(), all[i]) != found.end()) where.push_back(static_cast<int>(i));
    }
    return text_of_list(where);
}

Coro<Flow> do_wait(Run& run, const Node& s) {
    std::vector<AnyFuture> futures;
    for (const Node& slot : s[1].list) {
        if (run.items.has(slot)) futures.push_back(run.items.at(slot)->future);
    }
    asyncio::WaitOptions options{.timeout = limit(s[2])};
    if (s[3].text == "first") options.return_when = asyncio::FIRST_COMPLETED;
    if (s[3].text == "exception") options.return_when = asyncio::FIRST_EXCEPTION;
    auto result = co_await asyncio::wait(futures, options);
    run.log("wait", "done", positions(futures, result.done), "pending", positions(futures, result.pending));
    co_return std::nullopt;
}

}  // namespace

Operations combine_operations() {
    return {{"gather", plain<do_gather>},
            {"shield", plain<do_shield>},
            {"wait_for", awaiting<do_wait_for>},
            {"wait", awaiting<do_wait>}};
}

}  // namespace conformance
