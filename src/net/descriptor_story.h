#pragma once

#include <string>

namespace asyncio::detail {

/// `open` is what it is asked of, if the number itself may be somebody else's by now.
std::string descriptor_story(int fd, const std::string& doing, int open);
/// `<file descriptor 7 in read(), peer ('127.0.0.1', 80)>`: what a task does with it, and who is at its other end.
inline std::string descriptor_story(int fd, const std::string& doing) { return descriptor_story(fd, doing, fd); }

}  // namespace asyncio::detail
