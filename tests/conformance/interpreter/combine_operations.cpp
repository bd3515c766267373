#include "operations.h"
#include "run.h"

#include <algorithm>

namespace conformance {

using asyncio::AnyFuture;
using asyncio::Coro;
using asyncio::Future;
using asyncio::None;
using asyncio::Result;

namespace {

std::optional<asyncio::Seconds> timeout_of(const Node& ticks) {
    if (ticks.number < 0) return std::nullopt;
    return ticks.number * tick.count();
}

/// The arguments of a gather() or as_completed(): functions to call and futures, empty slots left out.
class Sources {
public:
    Sources(Run& run, const Node& list, ItemRef owner) : run_(run), owner_(std::move(owner)) {
        for (const Node& source : list.list) {
            if (source.is_list) {
                entries_.push_back({source[1].number, nullptr});
            } else if (run.item(source)) {
                entries_.push_back({-1, run.item(source)});
            }
        }
    }
    std::size_t size() const noexcept { return entries_.size(); }
    bool is_item(std::size_t i) const noexcept { return entries_[i].item != nullptr; }
    const ItemRef& item(std::size_t i) const noexcept { return entries_[i].item; }
    bool all_numbers() const noexcept {
        return std::all_of(entries_.begin(), entries_.end(),
                           [](const Entry& e) { return !e.item || e.item->kind == Item::Kind::number; });
    }
    bool all_coroutines() const noexcept {
        return !entries_.empty() &&
               std::all_of(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.item; });
    }
    Coro<int> coroutine(std::size_t i) const { return run_.call(entries_[i].function, owner_); }
    std::vector<Coro<int>> coroutines() const {
        std::vector<Coro<int>> all;
        for (std::size_t i = 0; i < size(); ++i) all.push_back(coroutine(i));
        return all;
    }
    Future<int> number(std::size_t i) const {
        return is_item(i) ? number_future(*item(i)) : ensure_future(coroutine(i));
    }
    std::vector<Future<int>> numbers() const {
        std::vector<Future<int>> all;
        for (std::size_t i = 0; i < size(); ++i) all.push_back(number(i));
        return all;
    }
    /// Futures of any kind, and what their values are.
    std::vector<AnyFuture> futures(std::vector<ItemRef>& parts) const {
        std::vector<AnyFuture> all;
        for (std::size_t i = 0; i < size(); ++i) {
            parts.push_back(is_item(i) ? item(i) : std::make_shared<Item>(Item{ensure_future(coroutine(i))}));
            all.push_back(parts.back()->future);
        }
        return all;
    }
    static Future<int> number_future(const Item& item) {
        if (item.is_task()) return item.task().as<int>();
        return item.future.as<int>();
    }

private:
    struct Entry {
        int function;
        ItemRef item;
    };
    Run& run_;
    ItemRef owner_;
    std::vector<Entry> entries_;
};

template <class Both>
Future<Both> gather_pair(const Sources& sources, auto... mode) {
    if (sources.is_item(0) && sources.is_item(1)) return gather(mode..., sources.number(0), sources.number(1));
    if (sources.is_item(0)) return gather(mode..., sources.number(0), sources.coroutine(1));
    if (sources.is_item(1)) return gather(mode..., sources.coroutine(0), sources.number(1));
    auto first = sources.coroutine(0);
    return gather(mode..., std::move(first), sources.coroutine(1));
}

void do_gather(Run& run, const Node& s) {
    using asyncio::gather;
    using asyncio::return_exceptions;
    auto result = std::make_shared<Item>();
    Sources sources(run, s[3], result);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (sources.is_item(i)) result->children.push_back(sources.item(i));
    }
    bool exceptions = s[2].number != 0;
    if (!sources.all_numbers()) {
        std::vector<AnyFuture> futures = sources.futures(result->parts);
        result->kind = exceptions ? Item::Kind::mixed_results : Item::Kind::mixed;
        if (exceptions) {
            result->future = gather(return_exceptions, futures);
        } else {
            result->future = gather(futures);
        }
    } else if (sources.size() == 2) {
        result->kind = exceptions ? Item::Kind::pair_results : Item::Kind::pair;
        if (exceptions) {
            result->future = gather_pair<std::tuple<Result<int>, Result<int>>>(sources, return_exceptions);
        } else {
            result->future = gather_pair<std::tuple<int, int>>(sources);
        }
    } else {
        result->kind = exceptions ? Item::Kind::results : Item::Kind::list;
        if (sources.all_coroutines()) {
            if (exceptions) {
                result->future = gather(return_exceptions, sources.coroutines());
            } else {
                result->future = gather(sources.coroutines());
            }
        } else if (exceptions) {
            result->future = gather(return_exceptions, sources.numbers());
        } else {
            result->future = gather(sources.numbers());
        }
    }
    run.item(s[1]) = result;
    run.log("gather", s[1].number, result->future.done());
}

/// Not given away, so that the inner future keeps its value.
template <class T>
AnyFuture shield_kept(const Future<T>& future) {
    return shield(future);
}

AnyFuture shield_item(const Item& item) {
    switch (item.kind) {
        case Item::Kind::number:
            return shield_kept(Sources::number_future(item));
        case Item::Kind::list:
            return shield_kept(item.future.as<std::vector<int>>());
        case Item::Kind::results:
            return shield_kept(item.future.as<std::vector<Result<int>>>());
        case Item::Kind::pair:
            return shield_kept(item.future.as<std::tuple<int, int>>());
        case Item::Kind::pair_results:
            return shield_kept(item.future.as<std::tuple<Result<int>, Result<int>>>());
        case Item::Kind::mixed:
            return shield_kept(item.future.as<std::vector<None>>());
        case Item::Kind::mixed_results:
            return shield_kept(item.future.as<std::vector<Result<None>>>());
    }
    return {};
}

void do_shield(Run& run, const Node& s) {
    ItemRef& slot = run.item(s[1]);
    if (s[2].is_list) {
        slot = std::make_shared<Item>(Item{asyncio::shield(run.call(s[2][1].number, nullptr))});
    } else if (!run.item(s[2])) {
        return run.log("shield", "none");
    } else {
        ItemRef inner = run.item(s[2]);
        AnyFuture outer = shield_item(*inner);
        slot = outer == inner->future ? inner : std::make_shared<Item>(Item{outer, inner->kind, {}, inner->parts});
    }
    run.log("shield", s[1].number, slot->future.done());
}

template <class T>
Coro<> wait_for_typed(const ItemRef& item, std::optional<asyncio::Seconds> timeout) {
    auto future = item->future.as<T>();
    co_await asyncio::wait_for(future, timeout);
}

Coro<> wait_for_item(ItemRef item, std::optional<asyncio::Seconds> timeout) {
    switch (item->kind) {
        case Item::Kind::number:
            if (item->is_task()) {
                auto task = item->task().as<int>();
                co_await asyncio::wait_for(task, timeout);
            } else {
                co_await wait_for_typed<int>(item, timeout);
            }
            break;
        case Item::Kind::list:
            co_await wait_for_typed<std::vector<int>>(item, timeout);
            break;
        case Item::Kind::results:
            co_await wait_for_typed<std::vector<Result<int>>>(item, timeout);
            break;
        default:
            co_await asyncio::wait_for(item->future, timeout);
    }
}

Coro<Flow> do_wait_for(Run& run, const Node& s) {
    std::optional<asyncio::Seconds> timeout = timeout_of(s[2]);
    if (s[1].is_list) {
        Coro<int> coroutine = run.call(s[1][1].number, nullptr);
        int value = co_await asyncio::wait_for(std::move(coroutine), timeout);
        run.log("wait_for", "=", value);
        co_return std::nullopt;
    }
    ItemRef item = run.item(s[1]);
    if (!item || run.is_poisoned(*item) || run.would_circle(*item)) {
        run.log("wait_for", s[1].number, item ? "circle" : "empty");
        co_return std::nullopt;
    }
    Waiting waiting(run, item);
    co_await wait_for_item(item, timeout);
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
        if (run.item(slot)) futures.push_back(run.item(slot)->future);
    }
    asyncio::WaitOptions options{.timeout = timeout_of(s[2])};
    if (s[3].text == "first") options.return_when = asyncio::FIRST_COMPLETED;
    if (s[3].text == "exception") options.return_when = asyncio::FIRST_EXCEPTION;
    auto result = co_await asyncio::wait(futures, options);
    run.log("wait", "done", positions(futures, result.done), "pending", positions(futures, result.pending));
    co_return std::nullopt;
}

template <class Completed>
Coro<int> take_values(Run& run, Completed completed, int limit) {
    int count = 0;
    for (auto step : completed) {
        try {
            if constexpr (std::is_void_v<asyncio::await_result_t<decltype(step)>>) {
                co_await step;
                run.log("completed", "-");
            } else {
                int value = co_await step;
                run.log("completed", value);
            }
        } catch (const std::exception&) {
            run.log("completed", "!", describe(std::current_exception()));
        }
        if (++count == limit) break;
    }
    co_return count;
}

template <class Completed>
Coro<int> take_handles(Run& run, const Sources& sources, Completed completed, int limit) {
    int count = 0;
    while (auto next = co_await completed.next()) {
        std::vector<int> which;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            if (sources.is_item(i) && sources.item(i)->future == *next) which.push_back(static_cast<int>(i));
        }
        std::string shown = "-";
        if constexpr (requires { next->result() + 0; }) shown = outcome(Item{*next});
        run.log("completed", text_of_list(which), shown);
        if (++count == limit) break;
    }
    co_return count;
}

template <class Awaitables>
Coro<int> take_completed(Run& run, const Sources& sources, Awaitables awaitables, const Node& s) {
    auto completed = asyncio::as_completed(std::move(awaitables), {.timeout = timeout_of(s[2])});
    int count = 0;
    if (s[3].text == "plain") {
        count = co_await take_values(run, completed, s[4].number);
    } else {
        count = co_await take_handles(run, sources, completed, s[4].number);
    }
    co_return count;
}

Coro<Flow> do_as_completed(Run& run, const Node& s) {
    Sources sources(run, s[1], nullptr);
    int count = 0;
    if (!sources.all_numbers()) {
        std::vector<ItemRef> parts;
        std::vector<AnyFuture> futures = sources.futures(parts);
        count = co_await take_completed(run, sources, std::move(futures), s);
    } else if (sources.all_coroutines()) {
        std::vector<Coro<int>> coroutines = sources.coroutines();
        count = co_await take_completed(run, sources, std::move(coroutines), s);
    } else {
        std::vector<Future<int>> futures = sources.numbers();
        count = co_await take_completed(run, sources, std::move(futures), s);
    }
    run.log("as_completed", count);
    co_return std::nullopt;
}

}  // namespace

Operations combine_operations() {
    return {.plain = {{"gather", noting<do_gather>}, {"shield", noting<do_shield>}},
            .awaiting = {{"wait_for", do_wait_for}, {"wait", do_wait}, {"as_completed", do_as_completed}}};
}

}  // namespace conformance
