// The limit: plain epoll, recvfrom() and sendto(). echo: every datagram goes back. sink: every 64th is answered.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <string_view>

#include "bench.h"

namespace {

char buffer[65536];

[[noreturn]] void serve(int endpoint, int epoll, bool is_echo) {
    long received = 0;
    for (;;) {
        epoll_event event;
        if (::epoll_wait(epoll, &event, 1, -1) != 1) continue;
        sockaddr_in sender;
        socklen_t length = sizeof sender;
        ssize_t size =
            ::recvfrom(endpoint, buffer, sizeof buffer, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&sender), &length);
        if (size < 0) continue;
        if (!is_echo && ++received % 64 != 0) continue;
        ::sendto(endpoint, buffer, is_echo ? static_cast<std::size_t>(size) : 1, MSG_DONTWAIT,
                 reinterpret_cast<sockaddr*>(&sender), length);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view way = argc == 2 ? argv[1] : "";
    if (way != "echo" && way != "sink") {
        std::fprintf(stderr, "usage: %s echo|sink\n", argv[0]);
        return 2;
    }
    int endpoint = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(endpoint, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t length = sizeof address;
    ::getsockname(endpoint, reinterpret_cast<sockaddr*>(&address), &length);
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, endpoint, &event);
    bench::listens(ntohs(address.sin_port));
    serve(endpoint, epoll, way == "echo");
}
