#include "tls/handshake_turns.h"

#include "net/tls_layer.h"

#include <algorithm>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr Seconds time_when_none_are_left{1};  // as long as a server waits that finds no descriptor

/// They leave half of the descriptors to others.
std::size_t most_quiet_handshakes() noexcept { return std::clamp<std::size_t>(descriptor_limit() / 2, 1, 4096); }

}  // namespace

void HandshakeTurn::is_quiet_no_longer() noexcept {
    if (std::exchange(is_quiet_, false)) --turns_->quiet_count_;
}

void HandshakeTurn::is_over() noexcept {
    is_quiet_no_longer();
    turns_ = nullptr;
    ListHook<HandshakesUnderWay>::unlink();
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
    if (turn.turns_ == nullptr) {
        turn.turns_ = this;
        turn.began_ = loop_.time();
        under_way_.push_back(turn);
    }
    if (std::exchange(turn.is_quiet_, true)) return;
    if (++quiet_count_ > most_quiet_) give_up(*oldest_quiet());
}

HandshakeTurn* HandshakeTurns::oldest_quiet() noexcept {
    for (HandshakeTurn& turn : under_way_) {
        if (turn.is_quiet_) return &turn;
    }
    return nullptr;
}

void HandshakeTurns::give_up(HandshakeTurn& turn) noexcept {
    turn.is_over();
    turn.give_up_(turn);
}

bool HandshakeTurns::gives_up_a_descriptor() noexcept {
    HandshakeTurn* oldest = oldest_quiet();
    if (oldest == nullptr || loop_.time() - oldest->began_ < time_when_none_are_left) return false;
    give_up(*oldest);
    return true;
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
    while (!under_way_.empty()) under_way_.front().is_over();
    delete this;
}

}  // namespace asyncio::detail
