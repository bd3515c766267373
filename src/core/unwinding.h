#pragma once

#include "core/tracebacks.h"

#include <exception>
#include <new>
#include <vector>

namespace asyncio::detail {

/// Through which frames of a task the exception under way has passed.
class Unwinding {
public:
    /// In the handler that has caught it.
    void passes(const FramePlace& place, const std::exception_ptr& error) noexcept {
        if (error_ != error) {
            error_ = error;
            places_.clear();
            traceback_ = traceback_of_handled(error);
        }
        if (traceback_ != nullptr) add_traceback_line(*traceback_, place);
        try {
            places_.push_back(place);
        } catch (const std::bad_alloc&) {  // a traceback with a gap is better than no program
        }
    }

    void is_over() noexcept {
        if (error_) [[unlikely]]
            forget();
    }

    /// Outermost first; null where it came through none, or memory lacks.
    std::vector<FramePlace>* traceback_of(const std::exception_ptr& error) const noexcept {
        if (error_ != error) return nullptr;
        try {
            return new std::vector<FramePlace>(places_.rbegin(), places_.rend());
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }

private:
    [[gnu::noinline]] void forget() noexcept { error_ = nullptr; }

    std::exception_ptr error_;
    TracebackEntry* traceback_ = nullptr;  // of that
    std::vector<FramePlace> places_;       // innermost first
};

}  // namespace asyncio::detail
