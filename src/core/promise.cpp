#include <asyncio/core/promise.h>

#include "core/task_loop.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>

#include <cstring>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

// A word: what it points to has an even address in every C++ library.
static_assert(sizeof(std::exception_ptr) == sizeof(std::uintptr_t));
static_assert(sizeof(std::source_location) == sizeof(std::uintptr_t));

}  // namespace

void PromiseBase::fail(std::exception_ptr error) noexcept {
    if (has_failed()) drop_error();
    std::memcpy(&place_or_error_, static_cast<const void*>(&error), sizeof error);
    ::new (static_cast<void*>(&error)) std::exception_ptr();  // what it held is here now
    place_or_error_ |= failed;
}

std::exception_ptr PromiseBase::take_failure() noexcept {
    std::uintptr_t word = std::exchange(place_or_error_, failed) & ~failed;
    std::exception_ptr error;
    std::memcpy(static_cast<void*>(&error), &word, sizeof word);
    return error;
}

void PromiseBase::drop_error() noexcept { take_failure(); }

void PromiseBase::unhandled_exception() noexcept {
    std::exception_ptr error = std::current_exception();
    if (!current_exception_is_cancelled() || task_->loop().debug()) task_->note_unwinding(*this, error);
    fail(std::move(error));
}

void PromiseBase::fail_without_value() noexcept {
    try {
        StackEntry made = stack_entry({function_, function_});
        throw RuntimeError("coroutine '" + made.function + "' ended without co_return of a value, defined at " +
                           made.file + ":" + std::to_string(made.line));
    } catch (...) {
        unhandled_exception();
    }
}

namespace {

void warn_of_unawaited(const PromiseBase& promise, TaskBase* dropped_by) {
    StackEntry made = stack_entry({promise.function(), promise.function()});
    std::string text = "coroutine '" + made.function + "' was never awaited, defined at " + made.file + ":" +
                       std::to_string(made.line);
    if (dropped_by != nullptr) {
        text += ", dropped by task " + detail::quoted(dropped_by->name()) + " at (most recent call last):\n" +
                format_stack(dropped_by->stack(std::nullopt));
        text.pop_back();
    }
    log(LogLevel::warning, text);
}

}  // namespace

void destroy_unawaited(std::coroutine_handle<> frame) noexcept {
    LoopCore* loop = running_core_or_null();
    if (loop != nullptr && loop->debug()) {
        try {
            warn_of_unawaited(PromiseBase::of(frame), current_task_of(*loop));
        } catch (const std::bad_alloc&) {
            log(LogLevel::warning, "a coroutine was never awaited");
        }
    }
    frame.destroy();
}

}  // namespace asyncio::detail
