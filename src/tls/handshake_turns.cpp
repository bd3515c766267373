#include "tls/handshake_turns.h"

#include <utility>

namespace asyncio::detail {

bool HandshakeTurns::take(HandshakeTurn& turn) noexcept {
    if (turn.is_linked()) return false;
    if (!next_.is_linked()) {
        schedule(loop_, next_);
        return true;
    }
    turn.context_ = ContextSlot::copy_current();
    line_.push_back(turn);
    return false;
}

void HandshakeTurns::next(ReadyNode& node) {
    HandshakeTurns& self = static_cast<Next&>(node).turns;
    if (self.line_.empty()) return;
    schedule(self.loop_, self.next_);
    HandshakeTurn& turn = self.line_.pop_front();
    ContextSlot context = std::move(turn.context_);
    ContextScope scope(self.loop_.current_context(), context);
    turn.run_(turn);
}

void HandshakeTurns::loop_is_closing() noexcept {
    next_.unlink();
    while (!line_.empty()) line_.pop_front();
    delete this;
}

}  // namespace asyncio::detail
