#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

// The blocking half of the example: plain functions that know nothing of asyncio. They run on a
// worker thread and return early, with what they have, once `stop` is requested.

namespace fs = std::filesystem;

/// Words are those of `wc` up to GNU coreutils 9.4 in the locale that was set when the first file was
/// counted. Printable characters make words, and white and no-break spaces part them, the latter not
/// if POSIXLY_CORRECT is set. Anything else (control, unprintable, invalid, incomplete) does neither.
struct Counts {
    std::uintmax_t lines = 0, words = 0, bytes = 0, files = 0;
    Counts& operator+=(const Counts& other);
};

struct Listing {
    std::deque<fs::path> files;
    std::vector<std::string> errors;  ///< "path: reason" for each directory that cannot be read
};

/// Empty if it is one. A symbolic link to a directory is none, as for `find`; with a `/` after it, it is.
std::string why_not_a_directory(const fs::path& path);

/// Every regular file at any depth; symbolic links are not followed. Python: os.walk.
Listing list_files(std::stop_token stop, fs::path root);

/// Throws std::system_error if the file cannot be opened or read, std::runtime_error if it is no file any more.
Counts count_file(std::stop_token stop, fs::path path);
