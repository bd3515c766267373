#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// A file or a folder that is open.
class OpenFile {
public:
    OpenFile() = default;
    OpenFile(int fd, const struct stat& status) : fd_(fd), status_(status) {}
    OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), status_(other.status_) {}
    OpenFile& operator=(OpenFile&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(status_, other.status_);
        return *this;
    }
    ~OpenFile();

    int fd() const { return fd_; }
    bool is_folder() const { return S_ISDIR(status_.st_mode); }
    std::int64_t size() const { return status_.st_size; }
    /// As a Last-Modified header has it.
    std::string modified() const;
    /// As an ETag header has it: another one when time or size are others.
    std::string etag() const;
    /// Whatever is in memory already, without waiting for the disk; nothing if that would have to be waited for.
    std::optional<std::string> read_now(std::int64_t offset, std::size_t size) const;

private:
    int fd_ = -1;
    struct stat status_ = {};
};

/// What a request's path leads to: a status, and with 200 the file.
struct Found {
    int status = 404;
    OpenFile file;
};

/// The part of a request's target that is a path, decoded, which begins with a slash; nothing if it is none.
std::optional<std::string> path_of(const std::string& target);
/// Opens `path`, which begins with a slash, below `root`. Nothing outside of `root` is ever opened, neither by `..` nor
/// by a link that leads out of it.
Found open_below(const std::string& root, const std::string& path);
/// A page with links to what is in the folder.
std::string list_folder(int fd, const std::string& path);
/// Reads from a file; may wait for the disk. Throws asyncio::OSError.
std::string read_file(int fd, std::int64_t offset, std::size_t size);
std::string_view content_type(std::string_view path);
std::string http_date(std::int64_t seconds);
