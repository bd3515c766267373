#pragma once

#include "sources.h"

#include <memory>
#include <string_view>

namespace conformance {

/// An as_completed() under way.
class Completed {
public:
    virtual ~Completed() = default;
    /// One step of the iteration: `plain`, `async`, or `drop` for one that is never awaited. False when it is over.
    virtual asyncio::Coro<bool> step(std::string_view mode) = 0;
};

std::shared_ptr<Completed> begin_completed(Run& run, const Node& sources, const Node& ticks);

}  // namespace conformance
