#include "files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

Counts& Counts::operator+=(const Counts& other) {
    lines += other.lines;
    words += other.words;
    bytes += other.bytes;
    files += other.files;
    return *this;
}

std::string why_not_a_directory(const fs::path& path) {
    std::error_code error;
    auto status = fs::symlink_status(path, error);
    if (fs::is_directory(status)) return "";
    return fs::exists(status) ? std::strerror(ENOTDIR) : error ? error.message() : std::strerror(ENOENT);
}

Listing list_files(std::stop_token stop, fs::path root) {
    Listing listing;
    std::vector<fs::path> directories{std::move(root)};
    while (!directories.empty() && !stop.stop_requested()) {
        fs::path directory = std::move(directories.back());
        directories.pop_back();
        std::error_code error;
        fs::directory_iterator entry(directory, error), end;
        for (; !error && entry != end; entry.increment(error)) {
            std::error_code unknown;
            auto type = entry->symlink_status(unknown).type();
            if (type == fs::file_type::directory) directories.push_back(entry->path());
            // What cannot be looked at (its path is too long, say) is left for count_file to report.
            if (type == fs::file_type::regular || unknown) listing.files.push_back(entry->path());
        }
        if (error) listing.errors.push_back(directory.string() + ": " + error.message());
    }
    return listing;
}

namespace {

struct File {
    explicit File(const fs::path& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
    ~File() { ::close(fd); }
    int fd;
};

int check(ssize_t result) {
    if (result < 0) throw std::system_error(errno, std::generic_category());
    return static_cast<int>(result);
}

}  // namespace

Counts count_file(std::stop_token stop, fs::path path) {
    File file(path);
    check(file.fd);
    Counts counts{.files = 1};
    bool in_word = false;
    std::array<char, 65536> block;
    while (!stop.stop_requested()) {
        int size = check(::read(file.fd, block.data(), block.size()));
        if (size == 0) break;
        counts.bytes += static_cast<std::uintmax_t>(size);
        for (int i = 0; i < size; ++i) {
            char c = block[static_cast<std::size_t>(i)];
            bool begins = c > ' ' && c <= '~';
            bool separates = c == ' ' || (c >= '\t' && c <= '\r');
            counts.lines += c == '\n';
            counts.words += begins && !in_word;
            in_word = begins || (in_word && !separates);
        }
    }
    return counts;
}
