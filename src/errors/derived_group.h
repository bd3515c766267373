#pragma once

#include <atomic>
#include <exception>

namespace asyncio::detail {

/// Gives a part of a group what was noted of the whole, which may be a copy that was never thrown: its address is all
/// that is asked for. Null as long as nothing was noted of any exception; set by who notes.
inline constinit std::atomic<void (*)(const void* whole, const std::exception_ptr& part) noexcept> note_derived_group =
    nullptr;

}  // namespace asyncio::detail
