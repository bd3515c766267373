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

/// The error of the class that belongs to an errno: one of those above, a TimeoutError, or a plain OSError. Without a
/// text the system's own is taken. Throws nothing but bad_alloc. Python: OSError(errno, strerror, filename), whose
/// constructor chooses the class.
///
/// ```cpp
/// int error = 0;
/// socklen_t size = sizeof error;
/// ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
/// if (error != 0) connected.set_exception(make_os_error(error));   // a Future<>, and a ConnectionRefusedError
/// ```
std::exception_ptr make_os_error(int errno_value, std::string_view strerror = {});
std::exception_ptr make_os_error(int errno_value, std::string_view strerror, std::string_view filename);

/// Throws that error: what to do where a call of the system has failed.
///
/// ```cpp
/// int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
/// if (fd < 0) throw_os_error(errno, {}, path);   // FileNotFoundError: [Errno 2] No such file or directory: 'x'
/// ```
///
/// Python: raise OSError(errno, strerror, filename).
[[noreturn]] void throw_os_error(int errno_value, std::string_view strerror = {});
[[noreturn]] void throw_os_error(int errno_value, std::string_view strerror, std::string_view filename);

}  // namespace asyncio
