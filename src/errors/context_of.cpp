#include <asyncio/errors/context_of.h>

#include "detail/fork_aware.h"
#include "errors/exception_death.h"

#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

namespace asyncio {
namespace detail {
namespace {

/// That an exception has a context. The table has one for each such exception, from when it is first given one until it
/// dies.
struct Note {
    const void* error;
    std::exception_ptr context;
    Destructor destroy;  // the exception's own
    Note* next;
};

Note* buckets[256];
std::mutex& table_mutex() noexcept { return fork_safe_mutex_of(buckets); }

Note*& bucket_of(const void* error) noexcept {
    return buckets[reinterpret_cast<std::uintptr_t>(error) / 64 % (sizeof buckets / sizeof *buckets)];
}

/// The pointer that points to the exception's note, or the null at the end of its list.
Note** find(const void* error) noexcept {
    Note** place = &bucket_of(error);
    while (*place != nullptr && (*place)->error != error) place = &(*place)->next;
    return place;
}

/// An exception dies, and with it perhaps its context, whose context may be the next, and so on: one after the other,
/// so that a long chain needs no deep stack.
void end_with_its_context(void* error) {
    static thread_local Note* dying = nullptr;
    static thread_local bool at_it = false;
    Note* note;
    {
        std::lock_guard lock(table_mutex());
        Note** place = find(error);
        note = *place;
        *place = note->next;
    }
    if (note->destroy != nullptr) note->destroy(error);
    note->next = dying;
    dying = note;
    if (at_it) return;
    at_it = true;
    while (dying != nullptr) {
        Note* next = dying;
        dying = next->next;
        delete next;
    }
    at_it = false;
}

}  // namespace

void chain_context(const std::exception_ptr& error, const std::exception_ptr& context) noexcept {
    if (!context) return;
    std::exception_ptr last = error;
    while (true) {
        if (last == context) return;
        std::exception_ptr next = context_of(last);
        if (!next) break;
        last = std::move(next);
    }
    set_context(last, context);
}

}  // namespace detail

std::exception_ptr context_of(const std::exception_ptr& error) noexcept {
    if (!error) return nullptr;
    std::lock_guard lock(detail::table_mutex());
    detail::Note* note = *detail::find(detail::thrown_object(error));
    return note != nullptr ? note->context : nullptr;
}

void set_context(const std::exception_ptr& error, std::exception_ptr context) noexcept {
    if (!error) return;
    // A circle is cut where it would be closed, as `raise` does.
    for (std::exception_ptr at = context, next; at; at = std::move(next)) {
        if (at == error) return;
        next = context_of(at);
        if (next != error) continue;
        set_context(at, nullptr);
        break;
    }
    const void* object = detail::thrown_object(error);
    auto* fresh = new (std::nothrow) detail::Note{object, nullptr, nullptr, nullptr};
    {
        std::lock_guard lock(detail::table_mutex());
        detail::Note** place = detail::find(object);
        if (*place == nullptr && fresh != nullptr && context &&
            detail::replace_destructor(error, &detail::end_with_its_context, fresh->destroy)) {
            *place = std::exchange(fresh, nullptr);
        }
        if (*place != nullptr) std::swap((*place)->context, context);
    }
    delete fresh;
}

}  // namespace asyncio
