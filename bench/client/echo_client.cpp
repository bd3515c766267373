// The load of the echo workloads: PORT PID CONNECTIONS BYTES N. Keeps one message under way on each connection, checks
// that it comes back whole, and prints what N of them cost the server, which is the process PID.
// With N = 0 it leaves the connections idle after one message each and prints what they take of the server's memory.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server_process.h"

using bench::cpu_seconds;
using bench::fail;

namespace {

class Connection {
public:
    Connection(int port, std::size_t size, unsigned char first) : message_(size), echo_(size) {
        for (std::size_t i = 0; i < size; ++i) message_[i] = static_cast<char>(first + i * 7);
        descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int on = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
    }
    int descriptor() const { return descriptor_; }
    void send() {
        ++message_[0];  // so that an old echo cannot pass for a new one
        received_ = 0;
        std::size_t sent = 0;
        while (sent < message_.size()) {  // blocks: less than a socket's buffer is under way
            ssize_t count = ::send(descriptor_, message_.data() + sent, message_.size() - sent, 0);
            if (count < 0) fail("send");
            sent += static_cast<std::size_t>(count);
        }
    }
    /// Receives what is there; true when the message is complete.
    bool receive() {
        ssize_t count = ::recv(descriptor_, echo_.data() + received_, echo_.size() - received_, 0);
        if (count <= 0) fail("recv");
        received_ += static_cast<std::size_t>(count);
        if (received_ < echo_.size()) return false;
        if (echo_ != message_) fail("other bytes came back");
        return true;
    }

private:
    int descriptor_;
    std::vector<char> message_, echo_;
    std::size_t received_ = 0;
};

class Load {
public:
    Load(int port, std::size_t connections, std::size_t size) {
        for (std::size_t i = 0; i < connections; ++i) {
            connections_.emplace_back(port, size, static_cast<unsigned char>(i));
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back().descriptor(), &event);
            round_trips(1, i, 1);  // the server has taken it over
        }
    }
    /// `count` round trips, over `width` connections from `first` on.
    long round_trips(long count, std::size_t first, std::size_t width) {
        long begun = 0, ended = 0;
        for (std::size_t i = first; i < first + width && begun < count; ++i, ++begun) connections_[i].send();
        epoll_event events[256];
        while (ended < count) {
            int ready = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < ready; ++i) {
                Connection& connection = connections_[events[i].data.u64];
                if (!connection.receive()) continue;
                ++ended;
                if (begun < count) {
                    connection.send();
                    ++begun;
                }
            }
        }
        return ended;
    }

private:
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<Connection> connections_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: %s PORT PID CONNECTIONS BYTES N\n", argv[0]);
        return 2;
    }
    auto port = std::atoi(argv[1]);
    std::string process = std::string("/proc/") + argv[2];
    auto connections = static_cast<std::size_t>(std::atol(argv[3]));
    auto size = static_cast<std::size_t>(std::atol(argv[4]));
    long n = std::atol(argv[5]);
    bench::allow_connections();

    double bytes = bench::resident_bytes(process.c_str());
    Load load(port, connections, size);
    long warm_up = static_cast<long>(n > 0 && connections < 2000 ? 2000 : connections);
    long check = load.round_trips(warm_up, 0, connections);
    bench::start_clock();
    double cpu = cpu_seconds(process);
    if (n > 0) check = load.round_trips(n, 0, connections);
    bench::stop_clock();
    cpu = cpu_seconds(process) - cpu;
    bytes = bench::resident_bytes(process.c_str()) - bytes;
    std::printf("operations=%ld wall=%.9f cpu=%.9f bytes=%.0f check=%ld\n", n > 0 ? n : warm_up, bench::figures.wall,
                cpu, bytes, check);
    std::fflush(stdout);
    std::_Exit(0);
}
