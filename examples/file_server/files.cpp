#include "files.h"

#include <asyncio/errors/exceptions.h>

#include <http_parser.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

OpenFile::~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
}

std::string http_date(std::int64_t seconds) {
    std::time_t time = seconds;
    std::tm parts;
    char text[64];
    ::gmtime_r(&time, &parts);
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

std::string OpenFile::modified() const { return http_date(status_.st_mtim.tv_sec); }

std::string OpenFile::etag() const {
    char text[64];
    std::snprintf(text, sizeof text, "\"%llx.%lx-%llx\"", static_cast<unsigned long long>(status_.st_mtim.tv_sec),
                  static_cast<unsigned long>(status_.st_mtim.tv_nsec),
                  static_cast<unsigned long long>(status_.st_size));
    return text;
}

std::optional<std::string> OpenFile::read_now(std::int64_t offset, std::size_t size) const {
    std::string data(size, '\0');
    iovec part{data.data(), size};
    ssize_t got = ::preadv2(fd_, &part, 1, offset, RWF_NOWAIT);
    if (got <= 0) return std::nullopt;
    data.resize(static_cast<std::size_t>(got));
    return data;
}

std::string read_file(int fd, std::int64_t offset, std::size_t size) {
    std::string data(size, '\0');
    ssize_t got = ::pread(fd, data.data(), size, offset);
    if (got < 0) throw asyncio::OSError(errno);
    data.resize(static_cast<std::size_t>(got));
    return data;
}

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// What must not stand for itself in a link, or in HTML, does not.
std::string percent_encoded(std::string_view text) {
    std::string all;
    for (char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     std::string_view("-._~/").find(c) != std::string_view::npos;
        char code[4];
        std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        all += plain ? std::string(1, c) : code;
    }
    return all;
}

std::string escaped(std::string_view text) {
    std::string all;
    for (char c : text) {
        all += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
    }
    return all;
}

}  // namespace

std::optional<std::string> path_of(const std::string& target) {
    http_parser_url url;
    http_parser_url_init(&url);
    bool is_bad = http_parser_parse_url(target.data(), target.size(), 0, &url) != 0;
    if (is_bad || (url.field_set & (1 << UF_PATH)) == 0) return std::nullopt;
    std::string_view encoded =
        std::string_view(target).substr(url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    std::string path;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        char c = encoded[i];
        if (c == '%') {
            int high = i + 2 < encoded.size() ? hex_digit(encoded[i + 1]) : -1;
            int low = i + 2 < encoded.size() ? hex_digit(encoded[i + 2]) : -1;
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return std::nullopt;
        path += c;
    }
    if (path.empty() || path.front() != '/') return std::nullopt;
    return path;
}

Found open_below(const std::string& root, const std::string& path) {
    if ((path + "/").find("/../") != std::string::npos) return {404, {}};
    char resolved[PATH_MAX];
    if (::realpath((root + path).c_str(), resolved) == nullptr) return {errno == EACCES ? 403 : 404, {}};
    std::string_view found = resolved;
    std::string inside = root == "/" ? root : root + "/";
    if (found != root && found.substr(0, inside.size()) != inside) return {404, {}};
    int fd = ::open(resolved, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return {errno == EACCES ? 403 : errno == EMFILE || errno == ENFILE ? 503 : 404, {}};
    struct stat status = {};
    ::fstat(fd, &status);
    OpenFile file(fd, status);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return {403, {}};
    bool wants_folder = path.back() == '/';
    if (wants_folder && !file.is_folder()) return {404, {}};
    return {200, std::move(file)};
}

std::string list_folder(int fd, const std::string& path) {
    std::vector<std::string> names;
    std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), &::closedir);
    if (!folder) throw asyncio::OSError(errno);
    while (const dirent* entry = ::readdir(folder.get())) {
        std::string name = entry->d_name;
        if (name == "." || (name == ".." && path == "/")) continue;
        struct stat status = {};
        bool is_folder = ::fstatat(fd, name.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode);
        names.push_back(is_folder ? name + "/" : name);
    }
    std::sort(names.begin(), names.end());
    std::string title = "Contents of " + escaped(path);
    std::string page = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + title +
                       "</title></head>\n<body><h1>" + title + "</h1>\n<ul>\n";
    for (const std::string& name : names) {
        page += "<li><a href=\"./" + percent_encoded(name) + "\">" + escaped(name) + "</a></li>\n";
    }
    return page + "</ul></body></html>\n";
}

std::string_view content_type(std::string_view path) {
    static constexpr std::pair<std::string_view, std::string_view> types[] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/plain; charset=utf-8"},
        {"xml", "application/xml"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"ico", "image/x-icon"},
        {"pdf", "application/pdf"},
        {"woff2", "font/woff2"},
        {"wasm", "application/wasm"},
        {"mp4", "video/mp4"},
        {"gz", "application/gzip"},
    };
    std::size_t dot = path.find_last_of("./");
    if (dot != path.npos && path[dot] == '.') {
        for (const auto& [extension, type] : types) {
            if (path.substr(dot + 1) == extension) return type;
        }
    }
    return "application/octet-stream";
}
