#include "files.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

namespace {

int check(int fd) {
    if (fd < 0) asyncio::throw_os_error(errno);
    return fd;
}

/// For kernels before 5.6: folder by folder, and no link is followed at all.
Descriptor find_step_by_step(int root, std::string_view path) {
    Descriptor at(check(::fcntl(root, F_DUPFD_CLOEXEC, 0)));
    while (!path.empty()) {
        std::size_t end = std::min(path.find('/'), path.size());
        std::string name(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
        if (name.empty() || name == ".") continue;
        at = Descriptor(check(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)));
    }
    return at;
}

/// O_PATH finds a thing without opening it. The kernel itself sees to it that the way there never leaves the root: to
/// ask first where a path leads, and then to open it, leaves time to change the way.
Descriptor find_below(int root, const std::string& path) {
    open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int tries = 0;; ++tries) {
        auto fd = static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
        if (fd >= 0) return Descriptor(fd);
        if (errno == ENOSYS || errno == EPERM) return find_step_by_step(root, path);  // EPERM: some containers' no
        bool something_was_moved = errno == EAGAIN;  // just now, so the kernel cannot be sure
        if (!something_was_moved || tries == 10) asyncio::throw_os_error(errno);
    }
}

/// The very same thing, whatever its path leads to by now.
Descriptor open_found(const Descriptor& found) {
    std::string name = "/proc/self/fd/" + std::to_string(found.get());
    return Descriptor(check(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)));
}

int status_of(int error) {
    switch (error) {
        case EACCES:
        case EPERM:
            return 403;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
            return 503;
    }
    return 404;
}

}  // namespace

Found open_below(int root, const std::string& path) {
    if ((path + "/").find("/../") != path.npos) return {404};
    std::string relative = path.substr(std::min(path.find_first_not_of('/'), path.size()));
    try {
        Descriptor found = find_below(root, relative.empty() ? "." : relative);
        struct stat status = {};
        check(::fstat(found.get(), &status));
        if (S_ISLNK(status.st_mode)) return {404};
        if (!S_ISDIR(status.st_mode) && path.back() == '/') return {404};
        if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) return {403};
        return {200, std::make_shared<const OpenFile>(open_found(found), status)};
    } catch (const asyncio::OSError& error) {
        return {status_of(error.errno_value())};
    }
}
