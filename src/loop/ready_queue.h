#pragma once

#include <asyncio/loop/loop_options.h>
#include <asyncio/loop/scheduling.h>

namespace asyncio::detail {

/// The nodes that run in this pass and the next, first in first out unless the program has an order of its own.
class ReadyQueue {
public:
    explicit ReadyQueue(ReadyOrder* order) noexcept : order_(order) {}

    bool empty() const noexcept { return nodes_.empty(); }
    void push(ReadyNode& node) noexcept { nodes_.push_back(node); }
    void push(ReadyList& nodes) noexcept { nodes_.splice_back(nodes); }
    /// Runs before all others, whatever the order.
    void push_before_all(ReadyNode& node) noexcept;
    ReadyNode& front() noexcept { return nodes_.front(); }
    ReadyList& nodes() noexcept { return nodes_; }
    bool has_own_order() const noexcept { return order_ != nullptr; }

    /// Takes out the node that runs next, of those before `end`; `end` itself when there is none.
    ReadyNode& take_next(const ReadyNode& end) { return order_ == nullptr ? nodes_.pop_front() : choose(end); }

private:
    ReadyNode& choose(const ReadyNode& end);

    ReadyList nodes_;
    ReadyNode* first_ = nullptr;  // that runs before all others, if it is linked
    ReadyOrder* order_;
};

}  // namespace asyncio::detail
