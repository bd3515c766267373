// For the guard: both ends in one program send a message back and forth, N times.
#include <asyncio/asyncio.h>

#include <string>

#include "bench.h"

using namespace asyncio;

namespace {

/// How many messages are left to be sent, and who waits for that.
struct Count {
    explicit Count(long n) : left(n) {}
    bool one_more() {
        if (left-- > 0) return true;
        if (!over.done()) over.set_result();
        return false;
    }
    long left;
    Future<> over = get_running_loop().create_future();
};

class Player : public Protocol {
public:
    explicit Player(Count& count) : count_(count) {}
    void connection_made(Transport transport) override { transport_ = transport; }
    void data_received(std::string_view data) override {
        if (count_.one_more()) transport_.write(data);
    }

private:
    Count& count_;
    Transport transport_;
};

class BufferedPlayer : public BufferedProtocol {
public:
    explicit BufferedPlayer(Count& count) : count_(count) {}
    void connection_made(Transport transport) override { transport_ = transport; }
    WritableBytes get_buffer(std::ptrdiff_t) override { return buffer_; }
    void buffer_updated(std::size_t size) override {
        if (count_.one_more()) transport_.write(std::string_view(buffer_, size));
    }

private:
    Count& count_;
    Transport transport_;
    char buffer_[1024];
};

class DatagramPlayer : public DatagramProtocol {
public:
    explicit DatagramPlayer(Count& count) : count_(count) {}
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const SocketAddress& address) override {
        if (count_.one_more()) transport_.sendto(data, address);
    }

private:
    Count& count_;
    DatagramTransport transport_;
};

const std::string message(64, 'x');

template <class P>
long play(long n) {
    return run([](long messages) -> Coro<long> {
        Count count(messages);
        auto factory = [&] { return P(count); };
        auto [one, other] = socketpair();
        auto first = co_await create_connection(factory, {.sock = &one});
        auto second = co_await create_connection(factory, {.sock = &other});
        first.transport.write(message);
        co_await count.over;
        co_return messages - count.left - 1;
    }(n));
}

long play_by_datagrams(long n) {
    return run([](long messages) -> Coro<long> {
        Count count(messages);
        auto factory = [&] { return DatagramPlayer(count); };
        auto first = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
        auto second = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
        SocketAddress address = second.transport.get_extra_info("sockname");
        first.transport.sendto(message, address);
        co_await count.over;
        co_return messages - count.left - 1;
    }(n));
}

long play_by_streams(long n) {
    return run([](long messages) -> Coro<long> {
        auto [one, other] = socketpair();
        auto first = co_await open_connection({.sock = &one});
        auto second = co_await open_connection({.sock = &other});
        long came = 0;
        for (; came < messages; came += 2) {
            first.writer.write(message);
            std::string data = co_await second.reader.read(1024);
            second.writer.write(data);
            data = co_await first.reader.read(1024);
        }
        co_return came;
    }(n));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv,
                       {{"streams", play_by_streams},
                        {"protocol", play<Player>},
                        {"buffered", play<BufferedPlayer>},
                        {"udp", play_by_datagrams}});
}
