#include "sources.h"

#include <algorithm>

namespace conformance {

using asyncio::AnyFuture;
using asyncio::Coro;
using asyncio::Future;

std::optional<asyncio::Seconds> limit(const Node& ticks) {
    if (ticks.number < 0) return std::nullopt;
    return ticks.number * tick.count();
}

Sources::Sources(Run& run, const Node& list, ItemRef owner) : run_(run), owner_(std::move(owner)) {
    for (const Node& source : list.list) {
        if (source.is_list) {
            entries_.push_back({source[1].number, nullptr});
        } else if (run.items.has(source)) {
            entries_.push_back({-1, run.items.at(source)});
        }
    }
}

bool Sources::all_numbers() const noexcept {
    return std::all_of(entries_.begin(), entries_.end(),
                       [](const Entry& e) { return !e.item || e.item->kind == Item::Kind::number; });
}

bool Sources::all_coroutines() const noexcept {
    return !entries_.empty() && std::all_of(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.item; });
}

std::vector<Coro<int>> Sources::coroutines() const {
    std::vector<Coro<int>> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(coroutine(i));
    return all;
}

asyncio::Task<int> Sources::task(std::size_t i) const {
    asyncio::Task<int> task = asyncio::create_task(coroutine(i));
    // As gather() does with those that it makes.
    if (owner_) static_cast<asyncio::detail::TaskBase*>(task.state_or_null())->do_not_report_pending();
    return task;
}

Future<int> Sources::number(std::size_t i) const {
    if (!is_item(i)) return task(i);
    if (item(i)->is_task()) return item(i)->task().as<int>();
    return item(i)->future.as<int>();
}

std::vector<Future<int>> Sources::numbers() const {
    std::vector<Future<int>> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(number(i));
    return all;
}

std::vector<AnyFuture> Sources::futures(std::vector<ItemRef>& parts) const {
    std::vector<AnyFuture> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(future(i, parts));
    return all;
}

AnyFuture Sources::future(std::size_t i, std::vector<ItemRef>& parts) const {
    parts.push_back(is_item(i) ? item(i) : std::make_shared<Item>(Item{task(i)}));
    return parts.back()->future;
}

}  // namespace conformance
