#pragma once

#include "loop/loop_core.h"

#include <asyncio/context/context.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/scheduling.h>

namespace asyncio::detail {

struct HandshakesInLine;  // the tag of the list of them

/// A handshake that waits for its turn.
class HandshakeTurn : public ListHook<HandshakesInLine> {
public:
    using Run = void (*)(HandshakeTurn&);
    explicit HandshakeTurn(Run run) noexcept : run_(run) {}

private:
    friend class HandshakeTurns;
    Run run_;
    ContextSlot context_;
};

/// A server's handshake costs a signature, which is long for a loop: of those that have come at once one goes on in a
/// pass, and all else has its turn in between.
class HandshakeTurns final : public LoopService, public Pooled {
public:
    static constexpr char service_kind[] = "HandshakeTurns";
    explicit HandshakeTurns(LoopCore& loop) noexcept : LoopService(service_kind), loop_(loop), next_(*this) {}

    /// True if nobody has had one in this pass; else it is run in a later one.
    bool take(HandshakeTurn& turn) noexcept;
    void loop_is_closing() noexcept override;

private:
    struct Next : ReadyNode {
        explicit Next(HandshakeTurns& its_turns) noexcept : ReadyNode(&HandshakeTurns::next), turns(its_turns) {}
        HandshakeTurns& turns;
    };
    ~HandshakeTurns() = default;
    static void next(ReadyNode& node);

    LoopCore& loop_;
    Next next_;  // in the queue: somebody has had a turn in this pass
    IntrusiveList<HandshakeTurn, HandshakesInLine> line_;
};

}  // namespace asyncio::detail
