// The limit: a plain epoll loop with one buffer for all.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "bench.h"

namespace {

char buffer[65536];

/// Blocks while the client does not read: it always does.
void send_all(int connection, const char* data, ssize_t size) {
    while (size > 0) {
        ssize_t sent = ::send(connection, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return;
        if (sent > 0) {
            data += sent;
            size -= sent;
        }
    }
}

void serve(int listener, int epoll) {
    epoll_event events[256];
    for (;;) {
        int ready = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; ++i) {
            int descriptor = events[i].data.fd;
            if (descriptor == listener) {
                int connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (connection < 0) continue;
                int on = 1;
                ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                epoll_event event{};
                event.events = EPOLLIN;
                event.data.fd = connection;
                ::epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event);
                continue;
            }
            ssize_t size = ::recv(descriptor, buffer, sizeof buffer, 0);
            if (size > 0) {
                send_all(descriptor, buffer, size);
            } else if (size == 0 || errno != EAGAIN) {
                ::close(descriptor);
            }
        }
    }
}

}  // namespace

int main() {
    bench::allow_connections();
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener, 1024);
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = listener;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    bench::listens(ntohs(address.sin_port));
    serve(listener, epoll);
}
