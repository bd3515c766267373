// The load of the UDP workloads: WAY PORT PID SOCKETS BYTES N. `echo` keeps one datagram under way on each socket, and
// checks that it comes back whole. A `sink` answers every 64th datagram, so that N of them can be sent and none is
// lost. Prints what N of them cost the server, which is the process PID.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server_process.h"

using bench::cpu_seconds;
using bench::fail;

namespace {

constexpr long window = 64;  // the servers know it

class Endpoint {
public:
    Endpoint(int port, std::size_t size, unsigned char first) : message_(size), answer_(size + 1) {
        for (std::size_t i = 0; i < size; ++i) message_[i] = static_cast<char>(first + i * 7);
        descriptor_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        timeval patience{10, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
    }
    int descriptor() const { return descriptor_; }
    void send() {
        ++message_[0];
        if (::send(descriptor_, message_.data(), message_.size(), 0) < 0) fail("send");
    }
    void receive_echo() {
        ssize_t size = ::recv(descriptor_, answer_.data(), answer_.size(), 0);
        if (size < 0) fail("recv");
        answer_.resize(static_cast<std::size_t>(size));
        if (answer_ != message_) fail("another datagram came back");
        answer_.resize(message_.size() + 1);
    }
    void receive_answer() {
        if (::recv(descriptor_, answer_.data(), answer_.size(), 0) < 0) fail("recv");
    }

private:
    int descriptor_;
    std::vector<char> message_, answer_;
};

long echo(std::vector<Endpoint>& endpoints, long count) {
    std::vector<pollfd> polled;
    for (Endpoint& endpoint : endpoints) polled.push_back({endpoint.descriptor(), POLLIN, 0});
    long begun = 0, ended = 0;
    for (std::size_t i = 0; i < endpoints.size() && begun < count; ++i, ++begun) endpoints[i].send();
    while (ended < count) {
        if (::poll(polled.data(), polled.size(), 10'000) <= 0) fail("a datagram was lost");
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            if (polled[i].revents == 0) continue;
            endpoints[i].receive_echo();
            ++ended;
            if (begun >= count) continue;
            endpoints[i].send();
            ++begun;
        }
    }
    return ended;
}

long fill_sink(Endpoint& endpoint, long count) {
    for (long sent = 0; sent < count; sent += window) {
        for (long i = 0; i < window; ++i) endpoint.send();
        endpoint.receive_answer();
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) {
        std::fprintf(stderr, "usage: %s WAY PORT PID SOCKETS BYTES N\n", argv[0]);
        return 2;
    }
    bool is_echo = std::string(argv[1]) == "echo";
    std::string process = std::string("/proc/") + argv[3];
    long n = std::atol(argv[6]);
    if (!is_echo && n % window != 0) fail("N is no multiple of the window");
    std::vector<Endpoint> endpoints;
    for (long i = 0; i < std::atol(argv[4]); ++i) {
        endpoints.emplace_back(std::atoi(argv[2]), static_cast<std::size_t>(std::atol(argv[5])),
                               static_cast<unsigned char>(i));
    }
    auto run = [&](long count) { return is_echo ? echo(endpoints, count) : fill_sink(endpoints[0], count); };
    run(100 * window);  // to warm up
    bench::start_clock();
    double cpu = cpu_seconds(process);
    long check = run(n);
    bench::stop_clock();
    cpu = cpu_seconds(process) - cpu;
    std::printf("operations=%ld wall=%.9f cpu=%.9f bytes=0 check=%ld\n", n, bench::figures.wall, cpu, check);
    std::fflush(stdout);
    std::_Exit(0);
}
