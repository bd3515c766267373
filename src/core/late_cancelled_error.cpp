#include "core/late_cancelled_error.h"

#include <asyncio/errors/exceptions.h>

#include <new>

namespace asyncio::detail {

namespace {

/// Never destroyed: loops may outlive the end of main().
std::exception_ptr& kept_error() noexcept {
    alignas(std::exception_ptr) static unsigned char memory[sizeof(std::exception_ptr)];
    static auto* const only = new (memory) std::exception_ptr;
    return *only;
}

/// Made while there is memory, and given back at the end, for those who look for leaks.
struct UntilTheEnd {
    UntilTheEnd() noexcept { late_cancelled_error(); }
    ~UntilTheEnd() { kept_error() = nullptr; }
};
[[maybe_unused]] const UntilTheEnd until_the_end;

}  // namespace

const std::exception_ptr& late_cancelled_error() noexcept {
    std::exception_ptr& error = kept_error();
    if (!error) error = std::make_exception_ptr(CancelledError());
    return error;
}

}  // namespace asyncio::detail
