#pragma once

#include <asyncio/errors/exceptions.h>

#include <exception>
#include <string_view>

// What Python makes of an errno: each of these is an OSError, and catching OSError catches them all.

namespace asyncio {

/// The other end, or the way to it, is gone. Python: ConnectionError.
class ConnectionError : public OSError {
public:
    using OSError::OSError;
};
/// Written to something that nobody reads any more: EPIPE, ESHUTDOWN. Python: BrokenPipeError.
class BrokenPipeError : public ConnectionError {
public:
    using ConnectionError::ConnectionError;
};
/// ECONNABORTED. Python: ConnectionAbortedError.
class ConnectionAbortedError : public ConnectionError {
public:
    using ConnectionError::ConnectionError;
};
/// Nobody listens there: ECONNREFUSED. Python: ConnectionRefusedError.
class ConnectionRefusedError : public ConnectionError {
public:
    using ConnectionError::ConnectionError;
};
/// The other end dropped the connection: ECONNRESET. Python: ConnectionResetError.
class ConnectionResetError : public ConnectionError {
public:
    using ConnectionError::ConnectionError;
};

/// It would have to wait: EAGAIN, EALREADY, EINPROGRESS. Python: BlockingIOError.
class BlockingIOError : public OSError {
public:
    using OSError::OSError;
};
/// ECHILD. Python: ChildProcessError.
class ChildProcessError : public OSError {
public:
    using OSError::OSError;
};
/// EEXIST. Python: FileExistsError.
class FileExistsError : public OSError {
public:
    using OSError::OSError;
};
/// ENOENT. Python: FileNotFoundError.
class FileNotFoundError : public OSError {
public:
    using OSError::OSError;
};
/// A signal came in between: EINTR. Python: InterruptedError.
class InterruptedError : public OSError {
public:
    using OSError::OSError;
};
/// EISDIR. Python: IsADirectoryError.
class IsADirectoryError : public OSError {
public:
    using OSError::OSError;
};
/// ENOTDIR. Python: NotADirectoryError.
class NotADirectoryError : public OSError {
public:
    using OSError::OSError;
};
/// EACCES, EPERM. Python: PermissionError.
class PermissionError : public OSError {
public:
    using OSError::OSError;
};
/// ESRCH. Python: ProcessLookupError.
class ProcessLookupError : public OSError {
public:
    using OSError::OSError;
};

namespace detail {

/// The error that Python's `OSError(errno_value, strerror)` is: one of the classes above, or an OSError. Without a text
/// the system's own is taken.
std::exception_ptr make_os_error(int errno_value, std::string_view strerror = {});
std::exception_ptr make_os_error(int errno_value, std::string_view strerror, std::string_view filename);
/// Throws it.
[[noreturn]] void throw_os_error(int errno_value, std::string_view strerror = {});
[[noreturn]] void throw_os_error(int errno_value, std::string_view strerror, std::string_view filename);

}  // namespace detail
}  // namespace asyncio
