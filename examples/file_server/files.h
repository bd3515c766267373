#pragma once

#include "descriptor.h"

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// A file or a folder that is open for reading.
class OpenFile {
public:
    OpenFile(Descriptor descriptor, const struct stat& status) : descriptor_(std::move(descriptor)), status_(status) {}

    int fd() const { return descriptor_.get(); }
    bool is_folder() const { return S_ISDIR(status_.st_mode); }
    std::int64_t size() const { return status_.st_size; }
    /// As a Last-Modified header has it.
    std::string modified() const;
    /// As an ETag header has it: another one when time or size are others.
    std::string etag() const;
    /// Whatever is in memory already, without waiting for the disk; nothing if that would have to be waited for.
    std::optional<std::string> read_now(std::int64_t offset, std::size_t size) const;

private:
    Descriptor descriptor_;
    struct stat status_;
};

/// What a path leads to: a status, and with 200 the file. It is shared with the thread that reads it: who is cancelled
/// meanwhile must not close it, or the thread would read from whatever gets its number next.
struct Found {
    int status = 404;
    std::shared_ptr<const OpenFile> file = nullptr;
};

/// Opens `path`, which begins with a slash, below the folder `root`. Nothing outside of it is ever opened, neither by
/// `..` nor by a link that leads out of it, even if somebody swaps folders and links meanwhile. Nor is anything opened
/// that is no file or folder: to open a FIFO wakes its writer, and devices do all kinds of things.
Found open_below(int root, const std::string& path);

/// Reads from a file; may wait for the disk. Throws asyncio::OSError.
std::string read_file(std::shared_ptr<const OpenFile> file, std::int64_t offset, std::size_t size);

std::string_view content_type(std::string_view path);
