#include "loop/ready_queue.h"

#include <asyncio/errors/exceptions.h>

namespace asyncio::detail {

/// One of those before `end`, which comes last.
ReadyNode& ReadyQueue::choose(const ReadyNode& end) {
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
