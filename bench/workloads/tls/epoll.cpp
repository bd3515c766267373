// The limit: OpenSSL over blocking sockets, and an epoll loop that tells which of them has something to read.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "bench.h"

namespace {

char buffer[65536];

/// False when it is over.
bool go_on(SSL* tls, std::string_view way) {
    if (way == "download") {
        while (SSL_write(tls, buffer, sizeof buffer) > 0) {
        }
        return false;
    }
    do {
        int size = SSL_read(tls, buffer, sizeof buffer);
        if (size <= 0) return false;
        if (way == "echo" && SSL_write(tls, buffer, size) != size) return false;
    } while (SSL_pending(tls) > 0);
    return true;
}

void end(SSL* tls) {
    SSL_shutdown(tls);
    ::close(SSL_get_fd(tls));
    SSL_free(tls);
    ERR_clear_error();
}

void serve(SSL_CTX* context, int listener, std::string_view way) {
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    auto watch = [&](int descriptor, void* whose) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = whose;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    };
    watch(listener, nullptr);
    epoll_event events[256];
    for (;;) {
        int ready = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; ++i) {
            auto* tls = static_cast<SSL*>(events[i].data.ptr);
            if (tls != nullptr) {
                if (!go_on(tls, way)) end(tls);
                continue;
            }
            int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            int on = 1;
            ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            tls = SSL_new(context);
            SSL_set_fd(tls, connection);
            if (SSL_accept(tls) != 1 || (way == "download" && !go_on(tls, way))) {
                end(tls);
            } else {
                watch(connection, tls);
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    bench::allow_connections();
    std::signal(SIGPIPE, SIG_IGN);
    std::string folder = std::getenv("BENCH_TLS");
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(context, (folder + "/cert.pem").c_str());
    SSL_CTX_use_PrivateKey_file(context, (folder + "/key.pem").c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener, 1024);
    socklen_t length = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    bench::listens(ntohs(address.sin_port));
    serve(context, listener, argv[1]);
}
