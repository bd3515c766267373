// A server that sends back what it gets: over streams, by protocols of both kinds, and over the loop's sock_recv_into()
// and sock_sendall().
#include <asyncio/asyncio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string>
#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string data = co_await reader.read(65536);
        if (data.empty()) break;
        writer.write(data);
        co_await writer.drain();
    }
    writer.close();
}

Coro<> streams() {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.backlog = 1024});
    bench::listens(server.sockets()[0].getsockname().port());
    co_await server.serve_forever();
}

class Echo : public Protocol {
    void connection_made(Transport transport) override { transport_ = transport; }
    void data_received(std::string_view data) override { transport_.write(data); }
    Transport transport_;
};

/// One buffer for all: what was received is sent, or copied, before the next one receives.
class BufferedEcho : public BufferedProtocol {
    void connection_made(Transport transport) override { transport_ = transport; }
    WritableBytes get_buffer(std::ptrdiff_t) override { return buffer; }
    void buffer_updated(std::size_t size) override { transport_.write(std::string_view(buffer, size)); }
    Transport transport_;
    inline static char buffer[65536];
};

template <class P>
Coro<> protocols() {
    Server server = co_await create_server([] { return P(); }, "127.0.0.1", 0, {.backlog = 1024});
    bench::listens(server.sockets()[0].getsockname().port());
    co_await server.serve_forever();
}

Coro<> echo_socket(Socket connection) {
    std::vector<char> buffer(65536);
    for (;;) {
        std::size_t size = co_await sock_recv_into(connection, buffer);
        if (size == 0) break;
        std::string_view received(buffer.data(), size);
        co_await sock_sendall(connection, received);
    }
}

Coro<> sockets() {
    Socket listener(AddressFamily::INET);
    listener.bind(SocketAddress("127.0.0.1", 0));
    listener.listen(1024);
    bench::listens(listener.getsockname().port());
    for (;;) {
        auto accepted = co_await sock_accept(listener);
        accepted.conn.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
        create_task(echo_socket(std::move(accepted.conn)));
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::allow_connections();
    std::string_view way = argc == 2 ? argv[1] : "";
    if (way == "streams") run(streams());
    if (way == "sockets") run(sockets());
    if (way == "protocol") run(protocols<Echo>());
    if (way == "buffered") run(protocols<BufferedEcho>());
    return 2;
}
