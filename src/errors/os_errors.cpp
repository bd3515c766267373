#include <asyncio/errors/os_errors.h>

#include <cerrno>

namespace asyncio {

namespace {

/// Calls `make` with a null pointer to the class that stands for this errno.
template <class Make>
std::exception_ptr by_errno(int errno_value, Make make) {
    switch (errno_value) {
        case EPIPE:
        case ESHUTDOWN:
            return make(static_cast<BrokenPipeError*>(nullptr));
        case ECONNABORTED:
            return make(static_cast<ConnectionAbortedError*>(nullptr));
        case ECONNREFUSED:
            return make(static_cast<ConnectionRefusedError*>(nullptr));
        case ECONNRESET:
            return make(static_cast<ConnectionResetError*>(nullptr));
        case EAGAIN:
        case EALREADY:
        case EINPROGRESS:
            return make(static_cast<BlockingIOError*>(nullptr));
        case ECHILD:
            return make(static_cast<ChildProcessError*>(nullptr));
        case EEXIST:
            return make(static_cast<FileExistsError*>(nullptr));
        case ENOENT:
            return make(static_cast<FileNotFoundError*>(nullptr));
        case EINTR:
            return make(static_cast<InterruptedError*>(nullptr));
        case EISDIR:
            return make(static_cast<IsADirectoryError*>(nullptr));
        case ENOTDIR:
            return make(static_cast<NotADirectoryError*>(nullptr));
        case EACCES:
        case EPERM:
            return make(static_cast<PermissionError*>(nullptr));
        case ESRCH:
            return make(static_cast<ProcessLookupError*>(nullptr));
        case ETIMEDOUT:
            return make(static_cast<TimeoutError*>(nullptr));
        default:
            return make(static_cast<OSError*>(nullptr));
    }
}

}  // namespace

std::exception_ptr make_os_error(int errno_value, std::string_view strerror) {
    return by_errno(errno_value,
                    [&]<class Error>(Error*) { return std::make_exception_ptr(Error(errno_value, strerror)); });
}

std::exception_ptr make_os_error(int errno_value, std::string_view strerror, std::string_view filename) {
    return by_errno(errno_value, [&]<class Error>(Error*) {
        return std::make_exception_ptr(Error(errno_value, strerror, filename));
    });
}

void throw_os_error(int errno_value, std::string_view strerror) {
    std::rethrow_exception(make_os_error(errno_value, strerror));
}

void throw_os_error(int errno_value, std::string_view strerror, std::string_view filename) {
    std::rethrow_exception(make_os_error(errno_value, strerror, filename));
}

}  // namespace asyncio
