// Python's asyncio at the other end of every kind of transport, both ways: TCP and unix sockets by protocols of both
// kinds, UDP and unix datagrams, and pipes, which is how the two programs speak of it.
#include <asyncio/core/event_loop.h>
#include <asyncio/net/create_connection.h>
#include <asyncio/net/create_datagram_endpoint.h>
#include <asyncio/net/create_server.h>
#include <asyncio/net/pipes.h>
#include <asyncio/net/stream_reader_protocol.h>
#include <asyncio/tasks/wait_for.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "net/pipe_support.h"
#include "net/stream_support.h"

using namespace asyncio;
using support::NetTest;
using support::PipeEnds;
using support::run_net;

namespace {

using PythonTransports = NetTest;

const char program[] = R"(
import asyncio, random, socket, sys

DATA = random.Random(5).randbytes(700_000)

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(data)

class BufferedEcho(asyncio.BufferedProtocol):
    def __init__(self):
        self.buffer = bytearray(5000)
    def connection_made(self, transport):
        self.transport = transport
    def get_buffer(self, sizehint):
        return self.buffer
    def buffer_updated(self, size):
        self.transport.write(bytes(self.buffer[:size]))

class DatagramEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)

class Talker(asyncio.Protocol):
    def __init__(self):
        self.received = bytearray()
        self.over = asyncio.get_running_loop().create_future()
    def connection_made(self, transport):
        transport.write(DATA)
        transport.write_eof()
    def data_received(self, data):
        self.received += data
    def connection_lost(self, exc):
        self.over.set_result(exc)

class DatagramTalker(asyncio.DatagramProtocol):
    def __init__(self):
        self.queue = asyncio.Queue()
    def datagram_received(self, data, addr):
        self.queue.put_nowait(data)

async def talk(connecting):
    transport, talker = await connecting
    assert await talker.over is None
    assert talker.received == DATA, len(talker.received)

async def talk_by_datagrams(making):
    transport, talker = await making
    for data in (b"a", DATA[:9000], b"z"):  # Pythons before 3.13 send no empty ones
        transport.sendto(data)
        assert await talker.queue.get() == data
    transport.close()

async def main(folder):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    tcp = await loop.create_server(Echo, "127.0.0.1", 0)
    unix = await loop.create_unix_server(BufferedEcho, folder + "/python")
    udp, _ = await loop.create_datagram_endpoint(DatagramEcho, local_addr=("127.0.0.1", 0))
    await loop.create_datagram_endpoint(DatagramEcho, folder + "/python-datagrams", family=socket.AF_UNIX)
    writer.write(b"%d %d\n" % (tcp.sockets[0].getsockname()[1], udp.get_extra_info("sockname")[1]))

    ports = [int(word) for word in (await reader.readline()).split()]
    await talk(loop.create_connection(Talker, "127.0.0.1", ports[0]))
    await talk(loop.create_unix_connection(Talker, folder + "/ours"))
    await talk_by_datagrams(loop.create_datagram_endpoint(DatagramTalker, remote_addr=("127.0.0.1", ports[1])))
    await talk_by_datagrams(loop.create_datagram_endpoint(
        DatagramTalker, folder + "/python-asks", folder + "/ours-datagrams", family=socket.AF_UNIX))
    writer.write(b"all is well\n")

    while data := await reader.read(100_000):
        writer.write(data)
        await writer.drain()
    while transport.get_write_buffer_size():  # what is kept when the loop ends is lost
        await asyncio.sleep(0)
    writer.close()

asyncio.run(main(sys.argv[1]))
)";

std::string data() {
    std::string text(700'000, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
    return text;
}

class Echo : public Protocol {
    void connection_made(Transport transport) override { transport_ = transport; }
    void data_received(std::string_view data) override { transport_.write(data); }
    Transport transport_;
};

class BufferedEcho : public BufferedProtocol {
    void connection_made(Transport transport) override { transport_ = transport; }
    WritableBytes get_buffer(std::ptrdiff_t) override { return buffer_; }
    void buffer_updated(std::size_t size) override { transport_.write(std::string(buffer_, size)); }
    Transport transport_;
    char buffer_[5000];
};

class DatagramEcho : public DatagramProtocol {
    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const SocketAddress& address) override {
        transport_.sendto(data, address);
    }
    DatagramTransport transport_;
};

class Talker : public Protocol {
public:
    void connection_made(Transport transport) override {
        transport.write(data());
        transport.write_eof();
    }
    void data_received(std::string_view data) override { received += data; }
    void connection_lost(std::exception_ptr error) override {
        EXPECT_FALSE(error);
        over.set_result();
    }
    std::string received;
    Future<> over = get_running_loop().create_future();
};

class DatagramTalker : public DatagramProtocol {
public:
    void datagram_received(std::string_view data, const SocketAddress&) override {
        queue.put_nowait(std::string(data));
    }
    Queue<std::string> queue;
};

Coro<> talk(Coro<Connection<Talker>> connecting) {
    auto made = co_await connecting;
    co_await made.protocol->over;
    EXPECT_TRUE(made.protocol->received == data());
}

Coro<> talk_by_datagrams(Coro<DatagramEndpoint<DatagramTalker>> making) {
    auto made = co_await making;
    for (const std::string& sent : {std::string("a"), data().substr(0, 9000), std::string("z")}) {
        made.transport.sendto(sent);
        std::string received = co_await made.protocol->queue.get();
        EXPECT_EQ(received, sent);
    }
    made.transport.close();
}

struct Talk {
    StreamReader reader;
    StreamWriter writer;
};

/// Speaks with the program through its standard input and output.
Coro<Talk> speak_with(int from, int to) {
    StreamReader reader{StreamReaderOptions()};
    auto reading = [&] { return StreamReaderProtocol(reader); };
    auto writing = [] { return StreamReaderProtocol(StreamReader()); };
    co_await connect_read_pipe(reading, from);
    auto connected = co_await connect_write_pipe(writing, to);
    co_return Talk{reader, StreamWriter(Transport(connected.transport.handle().get()), connected.protocol, {})};
}

Coro<> both_ways(int from, int to, std::string folder) {
    Talk python = co_await speak_with(from, to);
    std::string line = co_await python.reader.readline();
    int tcp_port = 0, udp_port = 0;
    EXPECT_EQ(std::sscanf(line.c_str(), "%d %d", &tcp_port, &udp_port), 2) << line;

    auto talker = [] { return Talker(); };
    auto datagram_talker = [] { return DatagramTalker(); };
    std::string asks = folder + "/ours-asks", theirs = folder + "/python-datagrams", ours = folder + "/ours-datagrams";
    co_await talk(create_connection(talker, "127.0.0.1", tcp_port));
    co_await talk(create_unix_connection(talker, folder + "/python"));
    co_await talk_by_datagrams(create_datagram_endpoint(datagram_talker, nullptr, HostPort("127.0.0.1", udp_port)));
    DatagramEndpointOptions options;
    options.family = AddressFamily::UNIX;
    options.local_addr = asks;
    options.remote_addr = theirs;
    co_await talk_by_datagrams(create_datagram_endpoint(datagram_talker, options));

    auto echo = [] { return Echo(); };
    auto buffered_echo = [] { return BufferedEcho(); };
    auto datagram_echo = [] { return DatagramEcho(); };
    Server tcp = co_await create_server(buffered_echo, "127.0.0.1", 0);
    Server unix_server = co_await create_unix_server(echo, folder + "/ours");
    auto udp = co_await create_datagram_endpoint(datagram_echo, HostPort("127.0.0.1", 0));
    options.local_addr = ours;
    options.remote_addr = {};
    auto unix_datagrams = co_await create_datagram_endpoint(datagram_echo, options);
    int our_udp_port = udp.transport.get_extra_info("sockname").address().port();
    python.writer.write(std::to_string(support::port_of(tcp)) + " " + std::to_string(our_udp_port) + "\n");
    line = co_await python.reader.readline();
    EXPECT_EQ(line, "all is well\n");

    python.writer.write(data());
    python.writer.write_eof();
    std::string echoed = co_await python.reader.read();
    EXPECT_TRUE(echoed == data());
    udp.transport.close();
    unix_datagrams.transport.close();
    tcp.close();
    unix_server.close();
}

TEST_F(PythonTransports, IsAtTheOtherEndOfEachKind) {
    char folder[] = "/tmp/asyncio-python-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    PipeEnds to_python(0), from_python(0);
    pid_t child = ::fork();
    if (child == 0) {
        ::dup2(to_python.reader(), STDIN_FILENO);
        ::dup2(from_python.writer(), STDOUT_FILENO);
        ::execlp("python3", "python3", "-c", program, folder, nullptr);
        ::_exit(127);
    }
    to_python.close_reader();
    from_python.close_writer();
    int from = from_python.give_reader(), to = to_python.give_writer();
    run_net([&]() -> Coro<> { co_await wait_for(both_ways(from, to, folder), 60); });
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    for (const char* name :
         {"/python", "/ours", "/python-datagrams", "/ours-datagrams", "/python-asks", "/ours-asks"}) {
        ::unlink((std::string(folder) + name).c_str());
    }
    EXPECT_EQ(::rmdir(folder), 0);
}

}  // namespace
