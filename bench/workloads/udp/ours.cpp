// echo: every datagram goes back. sink: every 64th is answered by one byte, one by one or in batches.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

#include "bench.h"

using namespace asyncio;

namespace {

constexpr long window = 64;

class Echo : public DatagramProtocol {
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const SocketAddress& address) override {
        transport_.sendto(data, address);
    }
    DatagramTransport transport_;
};

class Sink : public DatagramProtocol {
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view, const SocketAddress& address) override {
        if (++received_ % window == 0) transport_.sendto("!", address);
    }
    DatagramTransport transport_;
    long received_ = 0;
};

class BatchSink : public DatagramBatchProtocol {
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagrams_received(std::span<const ReceivedDatagram> datagrams) override {
        for (const ReceivedDatagram& datagram : datagrams) {
            if (++received_ % window == 0) transport_.sendto("!", datagram.address);
        }
    }
    DatagramTransport transport_;
    long received_ = 0;
};

template <class P>
Coro<> serve() {
    auto endpoint = co_await create_datagram_endpoint([] { return P(); }, HostPort("127.0.0.1", 0));
    bench::listens(endpoint.transport.get_extra_info("sockname").address().port());
    Event never;
    co_await never.wait();
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view way = argc == 2 ? argv[1] : "";
    if (way == "echo") run(serve<Echo>());
    if (way == "sink") run(serve<Sink>());
    if (way == "batch_sink") run(serve<BatchSink>());
    std::fprintf(stderr, "usage: %s echo|sink|batch_sink\n", argv[0]);
    return 2;
}
