// Programs about datagrams.
#include <asyncio/asyncio.h>

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class Echo : public DatagramProtocol {
public:
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const SocketAddress& address) override {
        transport_.sendto(data, address);
    }

private:
    DatagramTransport transport_;
};

/// Counts what it is told of.
class Counting : public DatagramBatchProtocol {
public:
    void datagrams_received(std::span<const ReceivedDatagram> datagrams) override { received += datagrams.size(); }
    void error_received(std::exception_ptr) override { ++errors; }
    void pause_writing() override { ++pauses; }
    void resume_writing() override { --pauses; }
    void connection_lost(std::exception_ptr error) override { is_lost = error ? 2 : 1; }
    std::size_t received = 0;
    int errors = 0;
    int pauses = 0;
    int is_lost = 0;
};

using CountingEndpoint = DatagramEndpoint<Counting>;

/// Closes it, also when the program ends early, and finds it lost then.
class Closing {
public:
    explicit Closing(const DatagramTransport& transport) : transport_(transport) {}
    ~Closing() { transport_.close(); }
    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;

private:
    const DatagramTransport& transport_;
};

Coro<> datagrams_are_echoed() {
    auto server = co_await create_datagram_endpoint([] { return Echo(); }, HostPort("127.0.0.1", 0));
    SocketAddress address = server.transport.get_extra_info("sockname");
    if (!address) co_return;  // the system did not tell
    Closing closing_server(server.transport);
    CountingEndpoint client =
        co_await create_datagram_endpoint([] { return Counting(); }, nullptr, HostPort("127.0.0.1", address.port()));
    Closing closing_client(client.transport);
    std::vector<Datagram> datagrams(6, Datagram{"hello"});
    client.transport.sendto("hello");
    client.transport.send_batch(datagrams);
    client.transport.sendto("");
    co_await sleep(100ms);
    bool all_is_well = client.protocol->errors == 0 && !server.transport.is_closing() && !client.transport.is_closing();
    if (all_is_well && !calls_may_fail()) expect(client.protocol->received > 0, "some come back");
}

Coro<> datagrams_wait_for_room() {
    auto [mine, peer] = socketpair(AddressFamily::UNIX, SocketKind::DGRAM);
    int room = 5000;  // or they would be many
    ::setsockopt(mine.fileno(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    CountingEndpoint sender = co_await create_datagram_endpoint([] { return Counting(); }, {.sock = &mine});
    CountingEndpoint receiver = co_await create_datagram_endpoint([] { return Counting(); }, {.sock = &peer});
    Closing closing_receiver(receiver.transport);
    Closing closing_sender(sender.transport);
    std::size_t count = 0;
    sender.transport.set_write_buffer_limits({.high = 0});
    for (; sender.transport.get_write_buffer_size() == 0 && count < 50; ++count) sender.transport.sendto("hello");
    std::vector<Datagram> more(80, Datagram{"more"});
    sender.transport.send_batch(more);
    sender.transport.close();
    for (int i = 0; i < 50 && sender.protocol->is_lost == 0; ++i) co_await sleep(1ms);
    if (!calls_may_fail()) expect(sender.protocol->is_lost != 0, "the sender is closed");
    for (int i = 0; i < 5; ++i) co_await sleep(1ms);
    bool all_is_well = sender.protocol->is_lost == 1 && sender.protocol->errors == 0 && receiver.protocol->is_lost == 0;
    if (all_is_well && !calls_may_fail()) {
        expect(receiver.protocol->received == count + more.size(), "all that was sent");
    }
}

}  // namespace

std::vector<Program> datagram_programs() {
    return {
        {.name = "DatagramsAreEchoed", .main = datagrams_are_echoed},
        {.name = "DatagramsWaitForRoom", .main = datagrams_wait_for_room},
    };
}

}  // namespace faults
