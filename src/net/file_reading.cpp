#include "net/file_reading.h"

#include <asyncio/errors/os_errors.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace asyncio::detail {

std::string read_block(int file, std::int64_t offset, std::size_t size) {
    std::string block(size, '\0');
    ssize_t got = 0;
    do {
        got = ::pread(file, block.data(), size, offset);
        if (got < 0 && errno == ESPIPE) got = ::read(file, block.data(), size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw_os_error(errno);
    block.resize(static_cast<std::size_t>(got));
    return block;
}

void check_part(std::int64_t offset, std::optional<std::int64_t> count) {
    if (count && *count <= 0) {
        throw ValueError("count must be a positive integer (got " + std::to_string(*count) + ")");
    }
    if (offset < 0) throw ValueError("offset must be a non-negative integer (got " + std::to_string(offset) + ")");
}

FilePosition::~FilePosition() {
    if (sent > 0) ::lseek(file, offset + sent, SEEK_SET);
}

std::size_t FilePosition::next_size(std::optional<std::int64_t> count) const noexcept {
    return count ? static_cast<std::size_t>(std::min<std::int64_t>(*count - sent, file_block)) : file_block;
}

}  // namespace asyncio::detail
