#pragma once

#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>

#include <exception>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>

namespace asyncio {

/// The root of the errors that ordinary handlers must let pass: cancellation, Ctrl-C, the end of
/// the program.
///
/// Not a `std::exception`, so `catch (const std::exception&)` means `except Exception`.
///
/// Python: BaseException, but here the ordinary errors do not derive from it: they derive from
/// `std::exception`.
class BaseException {
public:
    BaseException() noexcept = default;
    BaseException(const BaseException&) noexcept = default;
    BaseException& operator=(const BaseException&) noexcept = default;
    virtual ~BaseException();
    virtual const char* what() const noexcept;
};

namespace detail {

/// One call of `cancel()`: what every CancelledError that comes of it shares. Immutable; safe on
/// any thread.
class CancelRequest : public Pooled {
public:
    CancelRequest(std::optional<std::string_view> text, std::string_view task_name, std::source_location where);

    const std::optional<std::string> message;
    const std::string requested_by;  // empty when no task asked
    const std::source_location requested_at;
    Ref<CancelRequest> of_task;  // set when it is made, for the one task that holds it: see TaskBase

    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept;

private:
    unsigned references_ = 1;
};

/// Where memory lacks, one without a message is null, which means the same: cancelling does not fail. With a message:
/// throws bad_alloc.
Ref<CancelRequest> make_cancel_request(std::optional<std::string_view> message, std::string_view requested_by,
                                       std::source_location where);

}  // namespace detail

/// Thrown at the `co_await` of a task that was cancelled.
///
/// Catch it to clean up and throw it on with `throw;`. One pointer wide, cheap to copy.
///
/// Python: asyncio.CancelledError. Beyond Python it knows who asked for the cancellation and where.
class CancelledError final : public BaseException {
public:
    CancelledError() noexcept = default;
    explicit CancelledError(std::string_view message);
    explicit CancelledError(detail::Ref<detail::CancelRequest> request) noexcept
        : request_(static_cast<detail::Ref<detail::CancelRequest>&&>(request)) {}

    /// What `cancel(message)` was given; nothing when it was given nothing.
    const std::optional<std::string>& message() const noexcept;
    /// The name of the task that called `cancel()`; empty when no task did.
    std::string_view requested_by() const noexcept;
    /// The line that called `cancel()`; line 0 when unknown.
    std::source_location requested_at() const noexcept;
    /// For the library.
    const detail::Ref<detail::CancelRequest>& request() const noexcept { return request_; }
    const char* what() const noexcept override;

private:
    detail::Ref<detail::CancelRequest> request_;
};

/// The user pressed Ctrl-C. Python: KeyboardInterrupt.
class KeyboardInterrupt final : public BaseException {
public:
    KeyboardInterrupt() noexcept;
    explicit KeyboardInterrupt(std::string_view message);
    /// The message; empty when none was given.
    const char* what() const noexcept override;

private:
    std::runtime_error text_;  // a string whose copy cannot throw
};

/// Asks for the end of the program: stops the loop and leaves `run()`. Python: SystemExit.
class SystemExit final : public BaseException {
public:
    SystemExit() noexcept = default;
    explicit SystemExit(int code) noexcept;
    /// What the program is to exit with; 0 when none was given. Python: `code`.
    int code() const noexcept { return code_; }
    /// The code in digits; empty when none was given.
    const char* what() const noexcept override;

private:
    int code_ = 0;
    char text_[12] = {};
};

namespace detail {
namespace bases {

/// Whether an error was given a message, which may be empty: `repr()` tells `ValueError('')` from `ValueError()`.
struct HasMessage {
    bool has_message = true;
};

}  // namespace bases
using bases::HasMessage;
}  // namespace detail

/// Something was asked for at a time when it cannot be done. Python: RuntimeError.
class RuntimeError : public std::runtime_error, public detail::HasMessage {
public:
    using std::runtime_error::runtime_error;
    RuntimeError() : std::runtime_error(""), HasMessage{false} {}
};

/// To be written by a derived class, or impossible on this system. Python: NotImplementedError.
class NotImplementedError : public RuntimeError {
public:
    using RuntimeError::RuntimeError;
};

/// An argument of the right type but a wrong value. Python: ValueError.
class ValueError : public std::invalid_argument, public detail::HasMessage {
public:
    using std::invalid_argument::invalid_argument;
    ValueError() : std::invalid_argument(""), HasMessage{false} {}
};

/// An argument of a wrong kind, where only the running program can tell. Python: TypeError.
class TypeError : public std::invalid_argument, public detail::HasMessage {
public:
    using std::invalid_argument::invalid_argument;
    TypeError() : std::invalid_argument(""), HasMessage{false} {}
};

/// Nothing is there: the base of IndexError and KeyError. Python: LookupError.
class LookupError : public std::out_of_range, public detail::HasMessage {
public:
    using std::out_of_range::out_of_range;
    LookupError() : std::out_of_range(""), HasMessage{false} {}
};

/// A future or task is not in the state that this call needs. Python: asyncio.InvalidStateError.
class InvalidStateError : public std::logic_error, public detail::HasMessage {
public:
    using std::logic_error::logic_error;
    InvalidStateError() : std::logic_error(""), HasMessage{false} {}
};

/// The operating system refused.
///
/// `what()` is Python's `str()`: `[Errno 2] No such file or directory: 'x'`; `code()` is the
/// std::error_code.
///
/// Python: OSError. `errno` is a macro in C++, so the attribute is `errno_value()`; without a text
/// the system's own is taken.
class OSError : public std::system_error, public detail::HasMessage {
public:
    OSError() : OSError(std::string_view()) {}
    explicit OSError(std::string_view message);
    explicit OSError(int errno_value, std::string_view strerror = {});
    OSError(int errno_value, std::string_view strerror, std::string_view filename);

    /// Zero when the error has none (Python: None).
    int errno_value() const noexcept { return code().value(); }
    /// The text alone; empty when there is no errno.
    std::string_view strerror() const noexcept;
    const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;  // a string whose copy cannot throw
    std::size_t strerror_begin_ = 0;
    std::size_t strerror_size_ = 0;
};

/// Something took longer than it was allowed to. Python: TimeoutError (asyncio.TimeoutError is the
/// same).
class TimeoutError : public OSError {
public:
    TimeoutError() = default;
    explicit TimeoutError(std::string_view message, std::exception_ptr cause = nullptr)
        : OSError(message), cause_(static_cast<std::exception_ptr&&>(cause)) {}
    /// The operating system's own: ETIMEDOUT.
    explicit TimeoutError(int errno_value, std::string_view strerror = {}) : OSError(errno_value, strerror) {}
    TimeoutError(int errno_value, std::string_view strerror, std::string_view filename)
        : OSError(errno_value, strerror, filename) {}

    /// What `raise TimeoutError from cause` names, usually a CancelledError; may be null. Python:
    /// `__cause__`.
    const std::exception_ptr& cause() const noexcept { return cause_; }

private:
    std::exception_ptr cause_;
};

/// The error as Python would show it: `ValueError('boom')`, `CancelledError()`,
/// `ExceptionGroup('two', [ValueError('a'), OSError(5, 'b')])`; `None` for null.
///
/// Other types appear under their C++ name, `std::logic_error('x')`; what is no exception class at
/// all, `int()`.
///
/// Python: repr(error). Messages are strings here, so `ValueError(1)` cannot be.
std::string repr(const std::exception_ptr& error);
/// The same of what was caught: `catch (const ValueError& e) { log(repr(e)); }`. The text is that of the object's own
/// class. Python: repr(error).
std::string repr(const BaseException& error);
std::string repr(const std::exception& error);

/// The error's message alone; empty when it has none. Python: str(error).
std::string str(const std::exception_ptr& error);
/// The same of what was caught. Python: str(error).
std::string str(const BaseException& error);
std::string str(const std::exception& error);

/// The class of the error, as Python would name it: `ValueError`, `std::bad_alloc`; `NoneType` for null. Python:
/// type(error).__name__.
std::string type_name(const std::exception_ptr& error);
/// The same of what was caught, which may be of a derived class. Python: type(error).__name__.
std::string type_name(const BaseException& error);
std::string type_name(const std::exception& error);

namespace detail {

/// The text in quotes, as Python's `repr(str)`. Bytes that are no UTF-8 appear as `\udcXX`
/// (surrogateescape).
std::string quoted(std::string_view text);
/// As Python's `repr(bytes)`.
std::string quoted_bytes(std::string_view bytes);

bool is_cancelled_error(const std::exception_ptr& error) noexcept;
bool is_keyboard_interrupt_or_system_exit(const std::exception_ptr& error) noexcept;
/// Derives from BaseException and not from std::exception: what `except Exception` lets pass.
bool is_base_exception(const std::exception_ptr& error) noexcept;

/// The same questions about the exception being handled, inside a catch block; false outside.
bool current_exception_is_cancelled() noexcept;
bool current_exception_is_keyboard_interrupt_or_system_exit() noexcept;

/// The thrown object as a `wanted`, if a `catch (wanted&)` would take it; else null. Null error:
/// null.
const void* match_exception(const std::exception_ptr& error, const std::type_info& wanted) noexcept;

}  // namespace detail

/// The exception inside the pointer as an `Error`, if a `catch (const Error&)` would take it; else null, as for a null
/// pointer. Nothing is thrown. Lives as long as `error` does. Python: isinstance(error, Error).
template <class Error>
const Error* exception_cast(const std::exception_ptr& error) noexcept {
#ifdef __GLIBCXX__
    return static_cast<const Error*>(detail::match_exception(error, typeid(Error)));
#else
    if (!error) return nullptr;
    try {
        std::rethrow_exception(error);
    } catch (const Error& found) {
        return &found;  // the object belongs to `error`, not to this handler
    } catch (...) {
        return nullptr;
    }
#endif
}

}  // namespace asyncio
