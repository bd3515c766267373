#include "net/pipe_file.h"

#include "detail/fork_aware.h"
#include "detail/quiet_write.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <new>
#include <string>

namespace asyncio::detail {
namespace {

PipeFile::Kind pipe_kind_of(mode_t mode) noexcept {
    if (S_ISFIFO(mode)) return PipeFile::Kind::pipe;
    if (S_ISSOCK(mode)) return PipeFile::Kind::socket;
    return S_ISCHR(mode) ? PipeFile::Kind::device : PipeFile::Kind::file;
}

/// Negative if that cannot be had: of a socket, or of a terminal that is another user's.
int opened_anew(int fd, Direction direction) {
    struct stat status = {};
    if (::fstat(fd, &status) != 0) return -1;
    PipeFile::Kind kind = pipe_kind_of(status.st_mode);
    // A file's position is shared, too. To open a device may do something, unless it is a terminal; a pseudo-terminal's
    // master would be that of another.
    bool is_terminal = kind == PipeFile::Kind::device && ::isatty(fd) == 1 && status.st_rdev != makedev(5, 2);
    if (kind != PipeFile::Kind::pipe && !is_terminal) return -1;
    int wanted = direction == Direction::writing ? O_WRONLY : O_RDONLY;
    int mode = ::fcntl(fd, F_GETFL);
    if (mode < 0 || ((mode & O_ACCMODE) != O_RDWR && (mode & O_ACCMODE) != wanted)) return -1;
    std::string name = "/proc/self/fd/" + std::to_string(fd);
    return ::open(name.c_str(), wanted | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (mode & O_APPEND));
}

using PipeFiles = IntrusiveList<PipeFile, PipeFile>;

/// All that are open, of all threads. Under a mutex, never destroyed.
PipeFiles& open_files() noexcept {
    alignas(PipeFiles) static unsigned char memory[sizeof(PipeFiles)];
    static auto* const only = new (memory) PipeFiles;
    return *only;
}
std::mutex& mutex_of_open_files() noexcept { return fork_safe_mutex_of(&open_files()); }

/// Whether they are descriptors of one open file. Where the system does not say: whether they may be.
bool have_same_file(int a, int b) noexcept {
#ifdef SYS_kcmp
    pid_t self = ::getpid();
    long order = ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
    if (order >= 0) return order == 0;
#endif
    struct stat one = {};
    struct stat other = {};
    if (::fstat(a, &one) != 0 || ::fstat(b, &other) != 0) return true;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
           (::fcntl(a, F_GETFL) & O_ACCMODE) == (::fcntl(b, F_GETFL) & O_ACCMODE);
}

template <class Call>
std::ptrdiff_t result_of(Call call) noexcept {
    ssize_t size = 0;
    do {
        size = call();
    } while (size < 0 && errno == EINTR);
    return size >= 0 ? size : -errno;
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

PipeFile::PipeFile(OwnedDescriptor descriptor) : fd_(descriptor.get()) {
    std::lock_guard lock(mutex_of_open_files());
    struct stat status = {};
    int flags = ::fcntl(fd_, F_GETFL);
    if (flags < 0 || ::fstat(fd_, &status) != 0) throw_os_error(errno);
    kind_ = pipe_kind_of(status.st_mode);
    was_blocking_ = !is_file() && (flags & O_NONBLOCK) == 0;
    if (was_blocking_ && ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK) != 0) throw_os_error(errno);
    process_ = ::getpid();
    descriptor.release();
    open_files().push_back(*this);
}

PipeFile::PipeFile(PipeFile&& other) noexcept {
    std::lock_guard lock(mutex_of_open_files());  // another thread may look through all of them
    fd_ = std::exchange(other.fd_, -1);
    kind_ = other.kind_;
    was_blocking_ = other.was_blocking_;
    process_ = other.process_;
    if (other.is_linked()) other.give_place_to(*this);
}

PipeFile PipeFile::of_standard_stream(int fd, Direction direction) {
    OwnedDescriptor own(opened_anew(fd, direction));
    if (own.get() < 0) own = OwnedDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (own.get() < 0) throw_os_error(errno);
    return PipeFile(std::move(own));
}

void PipeFile::close() noexcept {
    if (fd_ < 0) return;
    {
        std::lock_guard lock(mutex_of_open_files());
        unlink();
        if (was_blocking_ && process_ == ::getpid() && !leave_to_another()) {
            int flags = ::fcntl(fd_, F_GETFL);
            if (flags >= 0) ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK);
        }
    }
    ::close(std::exchange(fd_, -1));
}

/// Whose loop would be blocked.
bool PipeFile::leave_to_another() noexcept {
    for (PipeFile& other : open_files()) {
        if (!have_same_file(fd_, other.fd_)) continue;
        other.was_blocking_ = true;
        return true;
    }
    return false;
}

std::ptrdiff_t PipeFile::read(void* data, std::size_t size) const noexcept {
    return result_of([&] { return ::read(fd_, data, size); });
}

std::ptrdiff_t PipeFile::write(const void* data, std::size_t size) const noexcept {
    if (kind_ == Kind::socket) {
        return result_of([&] { return ::send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT); });
    }
    if (kind_ != Kind::pipe) return result_of([&] { return ::write(fd_, data, size); });
    std::ptrdiff_t written = 0;
    do {
        written = quiet_write(fd_, data, size);
    } while (written == -EINTR);
    return written;
}

}  // namespace asyncio::detail
