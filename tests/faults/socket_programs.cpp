// Programs about sockets.
#include <asyncio/asyncio.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t large = 700'000;

/// Not inlined: knowing the size, g++ 12 sees a copy out of bounds where there is none.
[[gnu::noinline]] std::string text_of(std::size_t size) { return std::string(size, 'x'); }

Coro<> sockets_send_and_receive() {
    Socket listening(AddressFamily::INET);
    SocketAddress any("127.0.0.1", 0);
    listening.bind(any);
    listening.listen();
    Socket client(AddressFamily::INET);
    auto accepting = create_task(sock_accept(listening));
    co_await sleep(1ms);
    co_await sock_connect(client, listening.getsockname());
    Accepted accepted = co_await std::move(accepting);
    for (std::size_t most : {std::size_t{100'000}, std::size_t{1} << 40}) {
        auto receiving = create_task(sock_recv(accepted.conn, most));
        co_await sleep(1ms);
        co_await sock_sendall(client, text_of(50'000));
        std::string data = co_await std::move(receiving);
        expect(!data.empty(), "what was received");
        while (data.size() < 50'000) {
            std::string more = co_await sock_recv(accepted.conn, most);
            data += more;
        }
    }
    auto [c, d] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
    co_await sock_sendall(c, text_of(5000));
    ReceivedFrom from = co_await sock_recvfrom(d, SIZE_MAX);
    expect(from.data.size() == 5000, "a datagram");
}

struct Pair {
    Pair() : sockets(socketpair()), file(::memfd_create("content", MFD_CLOEXEC)) {}
    ~Pair() { ::close(file); }
    std::pair<Socket, Socket> sockets;
    int file;
    std::size_t received = 0;
};

Coro<> send_letters(std::shared_ptr<Pair> pair, char letter) {
    std::string text(large, letter);
    co_await sock_sendall(pair->sockets.first, text);
}

Coro<> send_a_file(std::shared_ptr<Pair> pair) { co_await sock_sendfile(pair->sockets.first, pair->file); }

Coro<> receive_all(std::shared_ptr<Pair> pair) {
    /// Who sends must not wait for one who has failed.
    class Closing {
    public:
        explicit Closing(Socket& socket) : socket_(socket) {}
        ~Closing() { socket_.close(); }

    private:
        Socket& socket_;
    };
    Closing closing(pair->sockets.second);
    for (;;) {
        std::string data = co_await sock_recv(pair->sockets.second, 300'000);
        if (data.empty()) break;
        pair->received += data.size();
    }
}

Coro<> senders_take_turns() {
    auto pair = std::make_shared<Pair>();
    expect(::ftruncate(pair->file, large) == 0, "a file");
    auto first = create_task(send_letters(pair, 'a'));
    auto second = create_task(send_a_file(pair));
    auto third = create_task(send_letters(pair, 'b'));
    auto receiving = create_task(receive_all(pair));
    co_await sleep(10ms);
    co_await first;
    co_await second;
    co_await third;
    pair->sockets.first.close();
    co_await receiving;
    expect(pair->received == 3 * large, "all that was sent");
}

Coro<> connect_to(SocketAddress address) {
    Socket client(AddressFamily::UNIX);
    co_await sock_connect(client, address);
}

SocketAddress address_of_this_process() {
    std::string name(1, '\0');
    name += "asyncio-faults-";
    name += std::to_string(::getpid());
    return SocketAddress::unix_path(name);
}

Coro<> a_line_of_unix_clients_waits() {
    Socket listening(AddressFamily::UNIX);
    SocketAddress address = address_of_this_process();
    listening.bind(address);
    listening.listen(0);
    std::vector<Task<>> connecting;
    for (int i = 0; i < 3; ++i) connecting.push_back(create_task(connect_to(address)));
    for (int i = 0; i < 3; ++i) {
        co_await sleep(100ms);
        try {
            co_await wait_for(sock_accept(listening), 1s);
        } catch (const TimeoutError&) {  // that one had no memory
        }
    }
    for (Task<>& task : connecting) {
        co_await task;
    }
}

}  // namespace

std::vector<Program> socket_programs() {
    return {
        {.name = "SocketsSendAndReceive", .main = sockets_send_and_receive},
        {.name = "SendersTakeTurns", .main = senders_take_turns},
        {.name = "ALineOfUnixClientsWaits", .main = a_line_of_unix_clients_waits},
    };
}

}  // namespace faults
