// The calls of the system that the library makes, each of which asks whether it is to fail. The linker puts them in the
// place of the C library's: --wrap in cmake/tests.cmake, which names each of them as well.
#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cerrno>

#include "faults/faults.h"

namespace {

/// The errors of a call: the one that it is best known for, the second best, and whether a signal can interrupt it.
/// Zero for none: then it is no event of that kind.
struct Errors {
    int best;
    int second;
    bool interrupted = false;
};

/// Zero if it is not to fail.
int error_due(Errors errors) noexcept {
    using faults::Kind;
    if (errors.best != 0 && faults::is_due(Kind::system_call)) return errors.best;
    if (errors.second != 0 && faults::is_due(Kind::system_call_again)) return errors.second;
    if (errors.interrupted && faults::is_due(Kind::interruption)) return EINTR;
    return 0;
}

}  // namespace

#define FAILING_CALL(Result, name, parameters, arguments, ...) \
    extern "C" Result __real_##name parameters;                \
    extern "C" Result __wrap_##name parameters {               \
        if (int error = error_due(Errors{__VA_ARGS__})) {      \
            errno = error;                                     \
            return Result(-1);                                 \
        }                                                      \
        return __real_##name arguments;                        \
    }

// What opens something.
FAILING_CALL(int, epoll_create1, (int flags), (flags), EMFILE, ENOMEM)
FAILING_CALL(int, eventfd, (unsigned value, int flags), (value, flags), EMFILE, ENOMEM)
FAILING_CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE, EAFNOSUPPORT)
FAILING_CALL(int, socketpair, (int domain, int type, int protocol, int* pair), (domain, type, protocol, pair), EMFILE,
             ENFILE)
FAILING_CALL(int, pipe2, (int* pair, int flags), (pair, flags), EMFILE, ENFILE)
FAILING_CALL(int, dup3, (int from, int to, int flags), (from, to, flags), EMFILE, EBUSY, true)

// What waits.
FAILING_CALL(int, poll, (pollfd * entries, nfds_t count, int timeout), (entries, count, timeout), ENOMEM, 0, true)

// Bytes.
FAILING_CALL(ssize_t, recv, (int fd, void* data, size_t size, int flags), (fd, data, size, flags), ENOMEM, ECONNRESET,
             true)
FAILING_CALL(ssize_t, recvmsg, (int fd, msghdr* message, int flags), (fd, message, flags), ENOMEM, ECONNRESET, true)
FAILING_CALL(int, recvmmsg, (int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout),
             (fd, messages, count, flags, timeout), ENOMEM, ECONNREFUSED, true)
FAILING_CALL(int, sendmmsg, (int fd, mmsghdr* messages, unsigned count, int flags), (fd, messages, count, flags),
             ENOBUFS, EPERM, true)
FAILING_CALL(ssize_t, recvfrom,
             (int fd, void* data, size_t size, int flags, sockaddr* address, socklen_t* address_size),
             (fd, data, size, flags, address, address_size), ENOMEM, ECONNREFUSED, true)
FAILING_CALL(ssize_t, send, (int fd, const void* data, size_t size, int flags), (fd, data, size, flags), ENOBUFS, EPIPE,
             true)
FAILING_CALL(ssize_t, sendmsg, (int fd, const msghdr* message, int flags), (fd, message, flags), ENOBUFS, EPIPE, true)
FAILING_CALL(ssize_t, sendto,
             (int fd, const void* data, size_t size, int flags, const sockaddr* address, socklen_t address_size),
             (fd, data, size, flags, address, address_size), ENOBUFS, EPERM, true)
FAILING_CALL(ssize_t, sendfile64, (int to, int from, off_t* offset, size_t size), (to, from, offset, size), EIO, EINVAL,
             true)
FAILING_CALL(ssize_t, read, (int fd, void* data, size_t size), (fd, data, size), 0, 0, true)
FAILING_CALL(ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size), 0, 0, true)

// Sockets and files.
FAILING_CALL(int, connect, (int fd, const sockaddr* address, socklen_t size), (fd, address, size), ECONNREFUSED,
             ENETUNREACH)
FAILING_CALL(int, bind, (int fd, const sockaddr* address, socklen_t size), (fd, address, size), EADDRINUSE, EACCES)
FAILING_CALL(int, listen, (int fd, int backlog), (fd, backlog), EADDRINUSE, EOPNOTSUPP)
FAILING_CALL(int, getsockname, (int fd, sockaddr* address, socklen_t* size), (fd, address, size), ENOBUFS, EINVAL)
FAILING_CALL(int, getpeername, (int fd, sockaddr* address, socklen_t* size), (fd, address, size), ENOBUFS, ENOTCONN)
FAILING_CALL(int, getsockopt, (int fd, int level, int name, void* value, socklen_t* size),
             (fd, level, name, value, size), ENOBUFS, ENOPROTOOPT)
FAILING_CALL(int, setsockopt, (int fd, int level, int name, const void* value, socklen_t size),
             (fd, level, name, value, size), ENOBUFS, EINVAL)
FAILING_CALL(int, shutdown, (int fd, int how), (fd, how), ENOBUFS, ENOTCONN)
FAILING_CALL(int, stat64, (const char* path, struct stat* about), (path, about), ENOMEM, EACCES)
FAILING_CALL(int, fstat64, (int fd, struct stat* about), (fd, about), ENOMEM, EIO)
FAILING_CALL(off_t, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence), ESPIPE, EINVAL)
FAILING_CALL(int, unlink, (const char* path), (path), EACCES, EROFS)

// Memory.
FAILING_CALL(int, munmap, (void* address, size_t size), (address, size), ENOMEM, 0)
FAILING_CALL(int, madvise, (void* address, size_t size, int advice), (address, size, advice), EAGAIN, EINVAL)

// Children.
FAILING_CALL(int, waitid, (idtype_t kind, id_t id, siginfo_t* info, int options), (kind, id, info, options), 0, 0, true)

// Some are not plain.

extern "C" int __real___clone(int (*function)(void*), void* stack, int flags, void* argument, ...);
extern "C" int __wrap___clone(int (*function)(void*), void* stack, int flags, void* argument, int* pidfd) {
    if (int error = error_due({EAGAIN, ENOMEM})) {
        errno = error;
        return -1;
    }
    return __real___clone(function, stack, flags, argument, pidfd);
}

extern "C" int __real_fcntl64(int fd, int command, ...);
extern "C" int __wrap_fcntl64(int fd, int command, long argument) {
    Errors errors = {EPERM, ENOSYS};  // what a sandbox says
    if (command == F_DUPFD_CLOEXEC) errors = {EMFILE, ENOMEM};
    if (int error = error_due(errors)) {
        errno = error;
        return -1;
    }
    return __real_fcntl64(fd, command, argument);
}

extern "C" int __real_open64(const char* path, int flags, ...);
extern "C" int __wrap_open64(const char* path, int flags, mode_t mode) {
    if (int error = error_due({EMFILE, ENOENT})) {
        errno = error;
        return -1;
    }
    return __real_open64(path, flags, mode);
}

extern "C" int __real_isatty(int fd);
extern "C" int __wrap_isatty(int fd) {
    if (int error = error_due({EPERM, ENOSYS})) {
        errno = error;
        return 0;
    }
    return __real_isatty(fd);
}

/// Only an io_uring that is refused sits that out here, which takes no time then.
extern "C" int __real_ppoll(pollfd* entries, nfds_t count, const timespec* timeout, const sigset_t* mask);
extern "C" int __wrap_ppoll(pollfd* entries, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    if (faults::is_for_ever() && faults::is_due(faults::Kind::refusal)) return 0;
    return __real_ppoll(entries, count, timeout, mask);
}

extern "C" void* __real_mmap64(void* address, size_t size, int protection, int flags, int fd, off_t offset);
extern "C" void* __wrap_mmap64(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
    if (int error = error_due({ENOMEM, EAGAIN})) {
        errno = error;
        return MAP_FAILED;
    }
    return __real_mmap64(address, size, protection, flags, fd, offset);
}

extern "C" int __real_epoll_ctl(int epoll_fd, int operation, int fd, epoll_event* event);
extern "C" int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, epoll_event* event) {
    Errors errors = {ENOMEM, ENOSPC};
    if (operation == EPOLL_CTL_MOD) errors = {ENOMEM, 0};
    if (operation == EPOLL_CTL_DEL) errors = {0, 0};
    if (int error = error_due(errors)) {
        errno = error;
        return -1;
    }
    return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

extern "C" int __real_epoll_wait(int fd, epoll_event* events, int most, int timeout);
extern "C" int __wrap_epoll_wait(int fd, epoll_event* events, int most, int timeout) {
    if (timeout != 0 && error_due({0, 0, true})) {  // a signal only ends a sleep
        errno = EINTR;
        return -1;
    }
    if (faults::is_due(faults::Kind::waiting)) {
        errno = ENOTRECOVERABLE;
        return -1;
    }
    return __real_epoll_wait(fd, events, most, timeout);
}

/// Those that the library makes: a wait of epoll, and those of a thread for another.
extern "C" long __real_syscall(long number, ...);
// Without AddressSanitizer's marks of its frame: a child that has its parent's memory never returns from its execve().
extern "C" __attribute__((no_sanitize("address"))) long __wrap_syscall(long number, long a, long b, long c, long d,
                                                                       long e, long f) {
    Errors errors = {0, 0};
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2) {
        errors = {ENOSYS, EPERM, true};
        if (faults::is_due(faults::Kind::waiting)) {
            errno = ENOTRECOVERABLE;
            return -1;
        }
    }
#endif
#ifdef SYS_futex
    if (number == SYS_futex && b == FUTEX_WAIT_PRIVATE) errors = {0, EAGAIN, true};
#endif
    if (int error = error_due(errors)) {
        errno = error;
        return -1;
    }
    return __real_syscall(number, a, b, c, d, e, f);
}

extern "C" int __real_close(int fd);
extern "C" int __real_accept4(int fd, sockaddr* address, socklen_t* size, int flags);
extern "C" int __wrap_accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    int error = error_due({EMFILE, ECONNABORTED, true});
    if (error == 0) return __real_accept4(fd, address, size, flags);
    if (error == ECONNABORTED) {  // it is gone
        int connection = __real_accept4(fd, address, size, flags);
        if (connection < 0) return -1;
        __real_close(connection);
    }
    errno = error;
    return -1;
}

extern "C" int __wrap_close(int fd) {
    int result = __real_close(fd);
    if (result != 0) return result;
    int error = error_due({EIO, ENOSPC, true});  // it is closed even so
    if (error == 0) return 0;
    errno = error;
    return -1;
}

extern "C" int __real_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found);
extern "C" int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
    if (int error = error_due({EAI_MEMORY, EAI_AGAIN})) return error;
    return __real_getaddrinfo(host, service, hints, found);
}

extern "C" int __real_getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size,
                                  char* service, socklen_t service_size, int flags);
extern "C" int __wrap_getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size,
                                  char* service, socklen_t service_size, int flags) {
    if (int error = error_due({EAI_MEMORY, EAI_AGAIN})) return error;
    return __real_getnameinfo(address, size, host, host_size, service, service_size, flags);
}
