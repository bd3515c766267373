#pragma once

#include <exception>

namespace asyncio::detail {

using Destructor = void (*)(void* exception);

/// Has `destructor` called in the place of the exception's own, when its last exception_ptr goes, and gives that one,
/// which is to be called then; null for an exception without a destructor. Gives false where the runtime keeps its
/// exceptions otherwise than the C++ ABI says. While somebody holds `error`, and by one thread at a time.
bool replace_destructor(const std::exception_ptr& error, Destructor destructor, Destructor& former) noexcept;

/// Where the thrown object lies.
void* thrown_object(const std::exception_ptr& error) noexcept;

}  // namespace asyncio::detail
