#pragma once

#include "run.h"

#include <vector>

namespace conformance {

/// None for a negative number.
std::optional<asyncio::Seconds> limit(const Node& ticks);

/// The arguments of a gather() or as_completed(): functions to call and futures, empty slots left out.
///
/// A gather() has an owner: the item that it becomes.
class Sources {
public:
    Sources(Run& run, const Node& list, ItemRef owner);

    std::size_t size() const noexcept { return entries_.size(); }
    bool is_item(std::size_t i) const noexcept { return entries_[i].item != nullptr; }
    const ItemRef& item(std::size_t i) const noexcept { return entries_[i].item; }
    bool all_numbers() const noexcept;
    bool all_coroutines() const noexcept;  // and at least one

    asyncio::Coro<int> coroutine(std::size_t i) const { return run_.call(entries_[i].function, owner_); }
    std::vector<asyncio::Coro<int>> coroutines() const;
    asyncio::Future<int> number(std::size_t i) const;
    std::vector<asyncio::Future<int>> numbers() const;
    /// Futures of any kind; adds what their values are.
    std::vector<asyncio::AnyFuture> futures(std::vector<ItemRef>& parts) const;
    asyncio::AnyFuture future(std::size_t i, std::vector<ItemRef>& parts) const;

private:
    asyncio::Task<int> task(std::size_t i) const;
    struct Entry {
        int function;
        ItemRef item;
    };
    Run& run_;
    ItemRef owner_;
    std::vector<Entry> entries_;
};

}  // namespace conformance
