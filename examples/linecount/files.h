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
    std::deque<fs::path> files;       ///< as seen from the root
    std::vector<std::string> errors;  ///< "path: reason" for each directory that cannot be read
};

/// The directory whose files are counted. What is below is reached from its descriptor step by step: whatever is moved
/// or swapped with a link meanwhile, nothing outside is read, and no path is too long.
class Root {
public:
    /// Throws std::system_error if it is no directory. A symbolic link to one is none, as for `find`; with a `/` after
    /// it, it is.
    explicit Root(fs::path path);
    ~Root();
    Root(const Root&) = delete;
    const fs::path& path() const { return path_; }
    /// A descriptor of what is there, by open()'s flags. Throws std::system_error; a symbolic link is an error.
    int open(const fs::path& relative, int flags) const;

private:
    fs::path path_;
    int fd_;
};

/// Every regular file at any depth; symbolic links are not followed. Python: os.walk.
Listing list_files(std::stop_token stop, const Root& root);

/// Throws std::system_error if the file cannot be opened or read, std::runtime_error if it is no file any more.
Counts count_file(std::stop_token stop, const Root& root, fs::path path);
