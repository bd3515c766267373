#pragma once

#include <asyncio/loop/scheduling.h>
#include <asyncio/loop/seconds.h>

namespace asyncio::detail {

/// Looks on while a loop runs: what tracing, sampling and metrics are made of. Called on the loop's thread.
///
/// Nothing of what it is told may be changed, scheduled or ended inside these functions. The node says whose it is:
/// `task_of_step()`, `run_function()`.
class Instrument {
public:
    /// The node joins those that are ready: it runs in the next pass.
    virtual void made_ready(ReadyNode& node) noexcept = 0;
    /// The same of a timer, which was to run at `when`. One that was made for a moment in the past is merely made
    /// ready.
    virtual void became_due(ReadyNode& node, [[maybe_unused]] TimePoint when) noexcept { made_ready(node); }
    /// The node's turn has come.
    virtual void before_step(ReadyNode& node) noexcept = 0;
    /// That turn is over, by an exception maybe. The node may be gone.
    virtual void after_step() noexcept = 0;

protected:
    ~Instrument() = default;
};

/// From now on this is told, and nobody else; null: nobody. It has to stay until another, or null, is set.
void set_instrument(LoopCore& loop, Instrument* instrument) noexcept;

}  // namespace asyncio::detail
