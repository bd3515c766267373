#include "core/late_cancelled_error.h"

#include <asyncio/core/exceptions.h>

namespace asyncio::detail {

const std::exception_ptr& late_cancelled_error() noexcept {
    static const auto& only = *new std::exception_ptr(std::make_exception_ptr(CancelledError()));  // outlives all tasks
    return only;
}

namespace {
[[maybe_unused]] const std::exception_ptr& made_while_there_is_memory = late_cancelled_error();
}  // namespace

}  // namespace asyncio::detail
