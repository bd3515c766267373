#include "tls/handshake_turns.h"

#include "net/tls_layer.h"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {

/// They leave half of the descriptors to others.
std::size_t most_quiet_handshakes() noexcept { return std::clamp<std::size_t>(descriptor_limit() / 2, 1, 4096); }

}  // namespace

void HandshakeTurn::is_quiet_no_longer() noexcept {
    HandshakeTurns* turns = std::exchange(quiet_in_, nullptr);
    if (turns == nullptr) return;
    ListHook<HandshakesOfQuiet>::unlink();
    --turns->quiet_count_;
}

void HandshakeTurn::is_over() noexcept {
    is_quiet_no_longer();
    ListHook<HandshakesInLine>::unlink();
}

HandshakeTurns::HandshakeTurns(LoopCore& loop) noexcept
    : LoopService(service_kind), loop_(loop), next_(*this), most_quiet_(most_quiet_handshakes()) {}

bool HandshakeTurns::take(HandshakeTurn& turn) noexcept {
    turn.is_quiet_no_longer();
    if (turn.ListHook<HandshakesInLine>::is_linked()) return false;
    if (!next_.is_linked()) {
        schedule(loop_, next_);
        return true;
    }
    turn.context_ = ContextSlot::copy_current();
    line_.push_back(turn);
    return false;
}

void HandshakeTurns::is_quiet(HandshakeTurn& turn) noexcept {
    turn.is_quiet_no_longer();
    if (quiet_count_ >= most_quiet_) {
        HandshakeTurn& first = quiet_.front();
        first.is_over();
        first.give_up_(first);
    }
    quiet_.push_back(turn);
    turn.quiet_in_ = this;
    ++quiet_count_;
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
    while (!quiet_.empty()) quiet_.front().is_quiet_no_longer();
    delete this;
}

}  // namespace asyncio::detail
