#include "files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

namespace {

/// For kernels before 5.6: folder by folder, and no link is followed at all.
Descriptor find_step_by_step(int root, std::string_view path) {
    Descriptor at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
    while (at && !path.empty()) {
        std::size_t end = std::min(path.find('/'), path.size());
        std::string name(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
        if (name.empty() || name == ".") continue;
        at = Descriptor(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    }
    return at;
}

/// O_PATH finds a thing without opening it. The kernel itself sees to it that the way there never leaves the root: to
/// ask first where a path leads, and then to open it, leaves time to change the way.
Descriptor find_below(int root, const std::string& path) {
    open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int tries = 0; tries < 10; ++tries) {
        Descriptor found(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
        if (found) return found;
        if (errno == ENOSYS || errno == EPERM) return find_step_by_step(root, path);  // EPERM: some containers' no
        if (errno != EAGAIN) break;  // that is: something was moved just now, and it cannot be sure
    }
    return {};
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
    Descriptor found = find_below(root, relative.empty() ? "." : relative);
    if (!found) return {status_of(errno)};
    struct stat status = {};
    if (::fstat(found.get(), &status) != 0 || S_ISLNK(status.st_mode)) return {404};
    bool is_folder = S_ISDIR(status.st_mode);
    if (!is_folder && !S_ISREG(status.st_mode)) return {403};
    if (!is_folder && path.back() == '/') return {404};
    // The very same thing, whatever its path leads to by now.
    std::string same = "/proc/self/fd/" + std::to_string(found.get());
    Descriptor opened(::open(same.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) return {status_of(errno)};
    return {200, std::make_shared<const OpenFile>(std::move(opened), status)};
}
