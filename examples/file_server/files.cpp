#include "files.h"

#include "response.h"

#include <asyncio/errors/os_errors.h>

#include <sys/uio.h>

#include <cerrno>
#include <cstdio>

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
    ssize_t got = ::preadv2(fd(), &part, 1, offset, RWF_NOWAIT);
    if (got <= 0) return std::nullopt;
    data.resize(static_cast<std::size_t>(got));
    return data;
}

std::string read_file(std::shared_ptr<const OpenFile> file, std::int64_t offset, std::size_t size) {
    std::string data(size, '\0');
    ssize_t got = -1;
    do {
        got = ::pread(file->fd(), data.data(), size, offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) asyncio::throw_os_error(errno);
    data.resize(static_cast<std::size_t>(got));
    return data;
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
