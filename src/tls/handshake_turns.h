#pragma once

#include "loop/loop_core.h"

#include <asyncio/context/context.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/loop/scheduling.h>

#include <cstddef>

namespace asyncio::detail {

class HandshakeTurns;
struct HandshakesInLine;  // the tags of the lists of them
struct HandshakesUnderWay;

/// A server's handshake: it waits for its client, or for its turn.
class HandshakeTurn : private ListHook<HandshakesInLine>, private ListHook<HandshakesUnderWay> {
public:
    using Run = void (*)(HandshakeTurn&);
    HandshakeTurn(Run run, Run give_up) noexcept : run_(run), give_up_(give_up) {}
    ~HandshakeTurn() { is_over(); }
    HandshakeTurn(const HandshakeTurn&) = delete;
    HandshakeTurn& operator=(const HandshakeTurn&) = delete;
    void is_over() noexcept;

private:
    friend class HandshakeTurns;
    template <class T, class Tag>
    friend class IntrusiveList;
    void is_quiet_no_longer() noexcept;

    Run run_;
    Run give_up_;
    HandshakeTurns* turns_ = nullptr;  // once it has been quiet
    bool is_quiet_ = false;
    TimePoint began_ = {};  // to be quiet, for the first time
    ContextSlot context_;
};

/// A server's handshake costs a signature, which is long for a loop: of those that have come at once one goes on in a
/// pass, and all else has its turn in between.
///
/// Clients that are quiet in the middle of it cost descriptors and memory: when there are too many of them the one
/// whose handshake began first is given up, so that others, who answer at once, still find room. A byte now and then
/// does not make it a later one.
class HandshakeTurns final : public LoopService, public Pooled {
public:
    static constexpr char service_kind[] = "HandshakeTurns";
    explicit HandshakeTurns(LoopCore& loop) noexcept;

    /// Something has come. True if nobody has had a turn in this pass; else it is run in a later one.
    bool take(HandshakeTurn& turn) noexcept;
    /// It waits for its client.
    void is_quiet(HandshakeTurn& turn) noexcept;
    void loop_is_closing() noexcept override;
    /// The oldest, if it has had its time: those who have begun just now are most likely to end soon.
    bool gives_up_a_descriptor() noexcept override;

private:
    friend class HandshakeTurn;
    struct Next : ReadyNode {
        explicit Next(HandshakeTurns& its_turns) noexcept : ReadyNode(&HandshakeTurns::next), turns(its_turns) {}
        HandshakeTurns& turns;
    };
    ~HandshakeTurns() = default;
    static void next(ReadyNode& node);
    HandshakeTurn* oldest_quiet() noexcept;
    static void give_up(HandshakeTurn& turn) noexcept;

    LoopCore& loop_;
    Next next_;  // in the queue: somebody has had a turn in this pass
    IntrusiveList<HandshakeTurn, HandshakesInLine> line_;
    IntrusiveList<HandshakeTurn, HandshakesUnderWay> under_way_;  // in the order in which they began
    std::size_t quiet_count_ = 0;
    const std::size_t most_quiet_;
};

}  // namespace asyncio::detail
