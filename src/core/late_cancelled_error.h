#pragma once

#include <exception>

namespace asyncio::detail {

/// Stands in a cancelled task for the CancelledError that is made of its request for the first who asks. If memory
/// lacks, thousands that are cancelled at once would use up what the C++ runtime has put by for exceptions, and without
/// that it terminates the program.
const std::exception_ptr& late_cancelled_error() noexcept;

}  // namespace asyncio::detail
