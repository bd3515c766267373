#include <asyncio/tasks/timeout.h>

#include "loop/loop_core.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/repr.h>

#include <charconv>
#include <locale>
#include <new>
#include <sstream>

namespace asyncio {

Timeout::Timeout(std::optional<TimePoint> when, std::source_location where) noexcept
    : TaskDeadline(where), when_(when) {}

// NOLINTNEXTLINE(performance-noexcept-move-constructor): it says what is wrong
Timeout::Timeout(Timeout&& other) : Timeout(other.when_, other.where_) {
    if (other.state_ != State::created) throw RuntimeError("Timeout cannot be moved, since it has been entered");
}

const char* Timeout::state_name() const noexcept {
    switch (state_) {
        case State::created:
            return "created";
        case State::active:
            return "active";
        case State::expiring:
            return "expiring";
        case State::expired:
            return "expired";
        case State::finished:
            return "finished";
    }
    return "";
}

void Timeout::reschedule(std::optional<TimePoint> when) {
    if (state_ == State::created) throw RuntimeError("Timeout has not been entered");
    if (state_ != State::active) throw RuntimeError(std::string("Cannot change state of ") + state_name() + " Timeout");
    detail::LoopCore& loop = task_->loop();
    loop.check_thread();
    bool is_due = is_linked();
    disarm();
    if (!when) {
    } else if (*when <= detail::last_time_of(loop)) {
        detail::schedule(loop, *this);
    } else {
        try {
            detail::schedule_at(loop, *when, *this);
        } catch (const std::bad_alloc&) {  // in the place of a timer there would have been room
            if (is_due) detail::schedule(loop, *this);
            throw;
        }
    }
    when_ = when;
}

Timeout& Timeout::aenter() {
    if (state_ != State::created) throw RuntimeError("Timeout has already been entered");
    detail::TaskBase* task = detail::current_task_of(detail::running_core());
    if (task == nullptr) throw RuntimeError("Timeout should be used inside a task");
    task_ = detail::Ref<detail::TaskBase>(task);
    cancelling_ = task->cancelling();
    state_ = State::active;
    reschedule(when_);
    return *this;
}

std::exception_ptr Timeout::leave(std::exception_ptr error) {
    disarm();
    if (state_ == State::expiring) {
        state_ = State::expired;
        bool ours = task_->uncancel() <= cancelling_;  // nobody else has asked for a cancellation
        if (ours && detail::is_cancelled_error(error))
            error = std::make_exception_ptr(TimeoutError(std::string_view(), error));
    } else if (state_ == State::active) {
        state_ = State::finished;
    } else {
        return std::make_exception_ptr(RuntimeError("Timeout is not being run: nothing to leave"));
    }
    task_ = nullptr;
    return error;
}

void Timeout::aexit(std::exception_ptr error) {
    std::exception_ptr result = leave(error);
    if (result != error) std::rethrow_exception(result);
}

namespace {

/// The repr of Python's round(seconds, 3), which is exact: of a tie the even digit.
std::string repr_of_milliseconds(double seconds) {
    char text[64];
    char* end = std::to_chars(text, text + sizeof text, seconds, std::chars_format::fixed, 3).ptr;
    std::istringstream stream(std::string(text, end));  // from_chars is missing in libc++ 19
    stream.imbue(std::locale::classic());
    stream >> seconds;
    return detail::repr_of_double(seconds);
}

}  // namespace

std::string repr(const Timeout& timeout) {
    std::string text = std::string("<Timeout [") + timeout.state_name() + "]";
    if (timeout.state_ == Timeout::State::active) {
        text += " when=" + (timeout.when_ ? repr_of_milliseconds(timeout.when_->seconds()) : std::string("None"));
    }
    return text + ">";
}

Timeout timeout(std::optional<Seconds> delay, std::source_location where) {
    detail::LoopCore& loop = detail::running_core();
    if (!delay) return Timeout(std::nullopt, where);
    return Timeout(detail::time_of(loop) + *delay, where);
}

Timeout timeout_at(std::optional<TimePoint> when, std::source_location where) { return Timeout(when, where); }

}  // namespace asyncio
