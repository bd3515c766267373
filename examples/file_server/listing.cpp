#include "listing.h"

#include "url.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace {

constexpr std::size_t most_names = 32 * 1024;  // bytes of names in a piece

/// A link is not followed: what is outside of the folder is not even looked at.
bool is_folder(const dirent& entry, int fd) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat status = {};
    return ::fstatat(fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Listing::Listing(const OpenFile& folder, const std::string& path) : folder_(nullptr, &::closedir), path_(path) {
    int fd = ::fcntl(folder.fd(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) asyncio::throw_os_error(errno);
    folder_.reset(::fdopendir(fd));
    if (folder_) return;
    int error = errno;
    ::close(fd);
    throw asyncio::OSError(error);
}

std::string Listing::next_piece() {
    if (over_) return "";
    std::vector<std::string> names;
    std::size_t size = 0;
    while (size < most_names) {
        errno = 0;
        const dirent* entry = ::readdir(folder_.get());
        if (entry == nullptr) {
            if (errno != 0) asyncio::throw_os_error(errno);
            over_ = true;
            break;
        }
        std::string name = entry->d_name;
        if (name == "." || (name == ".." && path_ == "/")) continue;
        names.push_back(is_folder(*entry, ::dirfd(folder_.get())) ? name + "/" : name);
        size += name.size() + 1;
    }
    std::sort(names.begin(), names.end());
    std::string page;
    if (!begun_) {
        begun_ = true;
        std::string title = "Contents of " + html_escaped(path_);
        page = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + title + "</title></head>\n<body><h1>" +
               title + "</h1>\n<ul>\n";
    }
    for (const std::string& name : names) {
        page += "<li><a href=\"./" + percent_encoded(name) + "\">" + html_escaped(name) + "</a></li>\n";
    }
    if (over_) page += "</ul></body></html>\n";
    return page;
}
