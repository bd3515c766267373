#pragma once

#include <asyncio/asyncio.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace conformance {

/// What stands in a slot: a future, with what its results look like.
struct Item {
    enum class Kind {
        number,        // Future<int>
        list,          // Future<std::vector<int>>
        results,       // Future<std::vector<Result<int>>>
        pair,          // Future<std::tuple<int, int>>
        pair_results,  // Future<std::tuple<Result<int>, Result<int>>>
        mixed,         // Future<std::vector<None>>, the values are those of `parts`
        mixed_results  // Future<std::vector<Result<None>>>, likewise
    };
    asyncio::AnyFuture future;
    Kind kind = Kind::number;
    std::vector<std::shared_ptr<Item>> children = {};  // that a cancellation would reach
    std::vector<std::shared_ptr<Item>> parts = {};

    bool is_task() const;
    asyncio::AnyTask task() const;  // empty if it is none
};
using ItemRef = std::shared_ptr<Item>;

/// Calls the function with the item's future as a handle of its type. A `mixed` one has no type.
template <class Function>
auto with_type(const Item& item, const Function& function) {
    using asyncio::Result;
    switch (item.kind) {
        case Item::Kind::number:
            if (item.is_task()) return function(item.task().as<int>());
            return function(item.future.as<int>());
        case Item::Kind::list:
            return function(item.future.as<std::vector<int>>());
        case Item::Kind::results:
            return function(item.future.as<std::vector<Result<int>>>());
        case Item::Kind::pair:
            return function(item.future.as<std::tuple<int, int>>());
        case Item::Kind::pair_results:
            return function(item.future.as<std::tuple<Result<int>, Result<int>>>());
        default:
            return function(item.future);
    }
}

/// The result as it stands in traces; throws what the future ended with.
std::string text_of_result(const Item& item, int depth = 0);
/// `pending`, `cancelled`, `! ValueError('x')` or the result.
std::string outcome(const Item& item);

/// Which task awaits which item, so that no circle is made.
// differs: a circle of tasks that await each other, cancelled
class Waits {
public:
    bool would_circle(const asyncio::AnyTask& me, const Item& item) const;
    /// Whether it is a task that has awaited itself: differs: a task that has awaited itself
    bool is_spoilt(const Item& item) const;
    void spoil(const Item& item) { spoilt_.push_back(item.future); }

private:
    friend class Waiting;
    std::map<asyncio::detail::FutureBase*, ItemRef> on_;
    std::vector<asyncio::AnyFuture> spoilt_;
};

/// Notes on what the task waits, while it lives.
class Waiting {
public:
    Waiting(Waits& waits, const asyncio::AnyTask& task, const ItemRef& item);
    ~Waiting();
    Waiting(const Waiting&) = delete;

private:
    Waits& waits_;
    asyncio::detail::FutureBase* task_;
    ItemRef before_;
};

}  // namespace conformance
