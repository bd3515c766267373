#include <asyncio/core/context_of.h>

#include "core/tracebacks.h"

#include <utility>

namespace asyncio {

std::exception_ptr context_of(const std::exception_ptr& error) noexcept { return detail::noted_context(error).error; }

void set_context(const std::exception_ptr& error, std::exception_ptr context) noexcept {
    if (!error) return;
    // A circle is cut where it would be closed, as `raise` does.
    for (std::exception_ptr at = context, next; at; at = std::move(next)) {
        if (at == error) return;
        next = context_of(at);
        if (next != error) continue;
        detail::note_context(at, nullptr);
        break;
    }
    detail::note_context(error, std::move(context));
}

void detail::chain_context(const std::exception_ptr& error, const std::exception_ptr& context,
                           std::uint64_t begun) noexcept {
    if (!context) return;
    std::exception_ptr last = error;
    while (true) {
        if (last == context) return;
        NotedContext next = noted_context(last);
        if (!next.error || next.number <= begun) break;
        last = std::move(next.error);
    }
    set_context(last, context);
}

}  // namespace asyncio
