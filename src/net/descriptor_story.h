#pragma once

#include <string>

namespace asyncio::detail {

/// `<file descriptor 7 in read(), peer ('127.0.0.1', 80)>`: what a task does with it, and who is at its other end.
std::string descriptor_story(int fd, const std::string& doing);

}  // namespace asyncio::detail
