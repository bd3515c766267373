#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <cwctype>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <system_error>

Counts& Counts::operator+=(const Counts& other) {
    lines += other.lines;
    words += other.words;
    bytes += other.bytes;
    files += other.files;
    return *this;
}

namespace {

int check(ssize_t result) {
    if (result < 0) throw std::system_error(errno, std::generic_category());
    return static_cast<int>(result);
}

struct File {
    explicit File(int descriptor) : fd(descriptor) {}
    ~File() { ::close(fd); }
    File(const File&) = delete;
    int fd;
};

constexpr int directory_flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

Root::Root(fs::path path) : path_(std::move(path)), fd_(check(::open(path_.c_str(), O_PATH | directory_flags))) {}
Root::~Root() { ::close(fd_); }

int Root::open(const fs::path& relative, int flags) const {
    int at = ::fcntl(check(fd_), F_DUPFD_CLOEXEC, 0);
    for (auto name = relative.begin(); name != relative.end(); ++name) {
        File folder(check(at));
        bool is_last = std::next(name) == relative.end();
        at = ::openat(folder.fd, name->c_str(), is_last ? flags | O_NOFOLLOW | O_CLOEXEC : O_PATH | directory_flags);
    }
    return check(at);
}

namespace {

/// Adds the directories and files that are in one.
void list_directory(const Root& root, const fs::path& directory, std::vector<fs::path>& directories,
                    std::deque<fs::path>& files) {
    int fd = root.open(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
    DIR* stream = ::fdopendir(fd);
    if (stream == nullptr) ::close(fd);
    check(stream != nullptr ? 0 : -1);
    std::unique_ptr<DIR, int (*)(DIR*)> closed_at_the_end(stream, ::closedir);
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(stream);
        if (entry == nullptr) break;
        std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat status = {};
        bool is_known = ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_known && S_ISDIR(status.st_mode)) directories.push_back(directory / name);
        // What cannot be looked at is left for count_file to report.
        if (!is_known || S_ISREG(status.st_mode)) files.push_back(directory / name);
    }
    check(errno == 0 ? 0 : -1);
}

}  // namespace

Listing list_files(std::stop_token stop, const Root& root) {
    Listing listing;
    std::vector<fs::path> directories{""};
    while (!directories.empty() && !stop.stop_requested()) {
        fs::path directory = std::move(directories.back());
        directories.pop_back();
        try {
            list_directory(root, directory, directories, listing.files);
        } catch (const std::system_error& error) {
            fs::path path = directory.empty() ? root.path() : root.path() / directory;
            listing.errors.push_back(path.string() + ": " + error.code().message());
        }
    }
    return listing;
}

namespace {

/// What a character does to words. `multibyte` is a byte that tells nothing alone.
enum class Kind : unsigned char { ignored, letter, space, multibyte };

Kind kind_of(std::wint_t c) {
    static const bool no_break_spaces_part = std::getenv("POSIXLY_CORRECT") == nullptr;
    if (c == L' ' || (c >= L'\t' && c <= L'\r')) return Kind::space;
    if (!std::iswprint(c)) return Kind::ignored;  // before iswspace, which is true of U+2028
    bool no_break = c == 0xA0 || c == 0x2007 || c == 0x202F || c == 0x2060;
    return std::iswspace(c) || (no_break && no_break_spaces_part) ? Kind::space : Kind::letter;
}

std::array<Kind, 256> kinds_of_bytes() {
    std::array<Kind, 256> kinds;
    for (int byte = 0; byte < 256; ++byte) {
        bool alone = byte < 128 || MB_CUR_MAX == 1;  // locales agree about ASCII
        kinds[static_cast<std::size_t>(byte)] = alone ? kind_of(std::btowc(byte)) : Kind::multibyte;
    }
    return kinds;
}

/// Counts lines and words in text that comes in pieces.
class TextCounter {
public:
    explicit TextCounter(Counts& counts) : counts_(counts) {}

    /// Returns where the character begins that the end of the text cuts off: begin the next text with it.
    const char* count(const char* text, const char* end) {
        static const auto kinds = kinds_of_bytes();
        std::uintmax_t lines = 0, words = 0;
        while (text != end) {
            Kind kind = kinds[static_cast<unsigned char>(*text)];
            wchar_t c = *text;
            std::size_t length = 1;
            if (kind == Kind::multibyte || shifted_) {
                std::mbstate_t before = state_;
                length = std::mbrtowc(&c, text, static_cast<std::size_t>(end - text), &state_);
                if (length == incomplete) {
                    state_ = before;
                    break;
                }
                if (length == invalid) c = L'\0';
                kind = kind_of(static_cast<std::wint_t>(c));
                shifted_ = !std::mbsinit(&state_);
            }
            bool begins = kind == Kind::letter;
            lines += c == L'\n';
            words += begins && !in_word_;
            in_word_ = begins || (in_word_ && kind != Kind::space);
            text += length == invalid || length == 0 ? 1 : length;  // 0: it is a NUL
        }
        counts_.lines += lines;
        counts_.words += words;
        return text;
    }

private:
    static constexpr auto invalid = static_cast<std::size_t>(-1), incomplete = static_cast<std::size_t>(-2);

    Counts& counts_;
    std::mbstate_t state_ = {};
    bool shifted_ = false;  // the encoding remembers something between characters
    bool in_word_ = false;
};

}  // namespace

Counts count_file(std::stop_token stop, const Root& root, fs::path path) {
    // Without O_NONBLOCK a FIFO, which may have taken a file's place since that was listed, would never be open.
    File file(root.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat status = {};
    check(::fstat(file.fd, &status));
    if (!S_ISREG(status.st_mode)) throw std::runtime_error("Not a regular file");
    Counts counts{.files = 1};
    TextCounter counter(counts);
    std::array<char, 65536> block;
    char* text = block.data();  // what was read last; before it, a character cut off
    while (!stop.stop_requested()) {
        int size = check(::read(file.fd, text, static_cast<std::size_t>(block.data() + block.size() - text)));
        if (size == 0) break;
        counts.bytes += static_cast<std::uintmax_t>(size);
        const char* rest = counter.count(block.data(), text + size);
        auto cut_off = static_cast<std::size_t>(text + size - rest);
        std::memmove(block.data(), rest, cut_off);
        text = block.data() + cut_off;
    }
    return counts;
}
