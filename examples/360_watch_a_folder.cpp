// Tells what happens to the files of a folder. inotify is a descriptor, and readable() waits for any descriptor: so do
// the ones of libpq, of a timerfd, of a pidfd.
#include <asyncio/asyncio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

struct Inotify {
    explicit Inotify(const fs::path& folder) : fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
        if (fd < 0) asyncio::throw_os_error(errno);
        int watch = ::inotify_add_watch(fd, folder.c_str(), IN_CREATE | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE);
        if (int error = errno; watch < 0) {
            ::close(fd);
            throw asyncio::OSError(error, "cannot watch the folder", folder.string());
        }
    }
    ~Inotify() { ::close(fd); }
    Inotify(const Inotify&) = delete;
    const int fd;
};

/// What has happened since the last time, which may be nothing; each is a kind and a name.
std::vector<std::pair<std::uint32_t, std::string>> take_events(int inotify) {
    std::vector<std::pair<std::uint32_t, std::string>> events;
    char buffer[4096];
    ssize_t size = ::read(inotify, buffer, sizeof buffer);
    if (size < 0 && errno != EAGAIN) asyncio::throw_os_error(errno);  // else it would be ready for ever
    for (ssize_t at = 0; at < size;) {
        inotify_event event = {};
        std::memcpy(&event, buffer + at, sizeof event);
        events.emplace_back(event.mask, event.len > 0 ? buffer + at + sizeof event : "");
        at += static_cast<ssize_t>(sizeof event + event.len);
    }
    return events;
}

const char* what_happened(std::uint32_t mask) {
    if ((mask & IN_CREATE) != 0) return "is new";
    if ((mask & IN_CLOSE_WRITE) != 0) return "was written";
    if ((mask & IN_MOVED_FROM) != 0) return "is called";
    if ((mask & IN_MOVED_TO) != 0) return "now";
    return "is gone";
}

asyncio::Coro<> watch(int inotify) {
    while (true) {
        co_await asyncio::readable(inotify);
        for (const auto& [mask, name] : take_events(inotify)) {
            std::printf("%s %s\n", name.c_str(), what_happened(mask));
            if (name == "end") co_return;
        }
    }
}

asyncio::Coro<> change(const fs::path& folder) {
    std::ofstream(folder / "letter") << "Dear Sir or Madam,\n";
    co_await asyncio::sleep(0.01);
    fs::rename(folder / "letter", folder / "letter.txt");
    co_await asyncio::sleep(0.01);
    fs::remove(folder / "letter.txt");
    fs::create_directory(folder / "end");
}

asyncio::Coro<> watch_and_change(const fs::path& folder) {
    Inotify inotify(folder);
    co_await asyncio::gather(watch(inotify.fd), change(folder));
}

int main() {
    char name[] = "/tmp/watch-a-folder-XXXXXX";
    fs::path folder = ::mkdtemp(name);
    asyncio::run(watch_and_change(folder));
    fs::remove_all(folder);
}
