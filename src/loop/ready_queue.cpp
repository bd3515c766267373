#include "loop/ready_queue.h"

#include <asyncio/errors/exceptions.h>

namespace asyncio::detail {

void ReadyQueue::push_before_all(ReadyNode& node) noexcept {
    if (node.is_linked()) return;
    nodes_.push_front(node);
    first_ = &node;
}

/// One of those before `end`, which comes last.
ReadyNode& ReadyQueue::choose(const ReadyNode& end) {
    if (first_ != nullptr && first_->is_linked()) return nodes_.pop_front();
    std::size_t count = 0;
    for (auto node = nodes_.begin(); &*node != &end; ++node) ++count;
    if (count == 0) return nodes_.pop_front();
    std::size_t choice = order_->choose(count);
    if (choice >= count) throw ValueError("ReadyOrder::choose() must return less than the count it was given");
    auto chosen = nodes_.begin();
    for (; choice > 0; --choice) ++chosen;
    ReadyNode& node = *chosen;
    node.unlink();
    return node;
}

}  // namespace asyncio::detail
