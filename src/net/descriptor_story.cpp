#include "net/descriptor_story.h"

#include <asyncio/net/socket_address.h>

#include <sys/socket.h>

namespace asyncio::detail {

std::string descriptor_story(int fd, const std::string& doing, int open) {
    std::string text = "<file descriptor " + std::to_string(fd) + " " + doing;
    SocketAddress peer;
    socklen_t size = SocketAddress::capacity;
    if (open >= 0 && ::getpeername(open, static_cast<sockaddr*>(peer.native_room()), &size) == 0) {
        peer.set_native_size(size);
        if (peer.family() != AddressFamily::UNIX || !peer.path().empty()) text += ", peer " + repr(peer);
    }
    return text + ">";
}

}  // namespace asyncio::detail
