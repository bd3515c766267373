#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace asyncio::detail {

/// What is read of a file at once.
constexpr std::size_t file_block = 256 * 1024;

/// So many bytes, or fewer; none at its end. That may take a while. Throws OSError.
std::string read_block(int file, std::int64_t offset, std::size_t size);

/// Throws ValueError for a part of a file that there cannot be.
void check_part(std::int64_t offset, std::optional<std::int64_t> count);

/// How much of a file was sent. Leaves its position behind that, also when it ends by an exception.
class FilePosition {
public:
    FilePosition(int the_file, std::int64_t the_offset) noexcept : file(the_file), offset(the_offset) {}
    ~FilePosition();
    FilePosition(const FilePosition&) = delete;
    FilePosition& operator=(const FilePosition&) = delete;
    /// Of the next block; zero: all is sent.
    std::size_t next_size(std::optional<std::int64_t> count) const noexcept;

    const int file;
    const std::int64_t offset;
    std::int64_t sent = 0;
};

}  // namespace asyncio::detail
