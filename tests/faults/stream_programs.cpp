// Programs about streams and servers.
#include <asyncio/asyncio.h>

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

int port_of(const Server& server) { return server.sockets().at(0).getsockname().port(); }

/// Whether it says that memory lacked, or that a connection was lost because it did on the other side.
bool is_lack() {
    try {
        throw;
    } catch (const std::bad_alloc&) {
    } catch (const OSError&) {
    } catch (const EOFError&) {
    } catch (const CancelledError&) {
        throw;
    } catch (...) {
        return false;
    }
    return true;
}

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string line = co_await reader.readline();
        if (line.empty()) break;
        writer.write(line);
        co_await writer.drain();
    }
    writer.close();
}

Coro<> lines_are_echoed() {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    Streams streams = co_await open_connection("127.0.0.1", port_of(server));
    std::string longer(3000, 'x');
    for (int i = 0; i < 3; ++i) {
        streams.writer.write(longer + "\n");
        co_await streams.writer.drain();
        std::string line = co_await streams.reader.readline();
        if (line.empty()) break;  // the other end had no memory
        expect(line == longer + "\n", "the line that comes back");
    }
    streams.writer.close();
    server.close();
    co_await server.wait_closed();
}

Coro<> write_much(StreamWriter writer) {
    writer.write(std::string(large, 'a'));
    std::vector<std::string> lines(100, std::string(1000, 'b'));
    writer.writelines(lines);
    co_await writer.drain();
    writer.write(std::string(large, 'c'));
    writer.writelines(lines);
    writer.close();
    co_await writer.wait_closed();
}

Coro<> much_is_written() {
    auto [a, b] = socketpair();
    Streams left = co_await open_unix_connection({.sock = &a});
    Streams right = co_await open_unix_connection({.sock = &b});
    auto writing = create_task(write_much(std::move(left.writer)));
    std::size_t size = 0;
    std::string buffer(50'000, '\0');
    bool whole = false;
    try {
        for (;;) {
            std::size_t got = co_await right.reader.read_into(buffer);
            if (got == 0) break;
            size += got;
        }
        whole = true;
    } catch (const std::exception&) {
    }
    right.writer.abort();
    try {
        co_await writing;
        expect(!whole || size == 2 * large + 200'000, "all that was written");
    } catch (...) {
        expect(is_lack(), "why the writer failed");
    }
}

Coro<> all_kinds_of_reading() {
    auto [a, b] = socketpair();
    Streams left = co_await open_unix_connection({.limit = 1000, .sock = &a});
    Streams right = co_await open_unix_connection({.sock = &b});
    right.writer.write(std::string(100, 'x') + "\n" + std::string(100, 'y') + "--" + std::string(5000, 'z'));
    try {
        std::string line = co_await left.reader.readline();
        if (line.empty()) co_return;  // the other end had no memory
        expect(line.size() == 101, "a line");
        std::string until = co_await left.reader.readuntil("--");
        expect(until.size() == 102, "what ends with a separator");
        std::string exactly = co_await left.reader.readexactly(50);
        expect(exactly.size() == 50, "exactly so many");
        try {
            co_await left.reader.readuntil("never");
            expect(false, "a limit");
        } catch (const LimitOverrunError&) {
        }
        right.writer.write_eof();
        std::string rest = co_await left.reader.read();
        expect(rest.size() == 4950, "the rest");
    } catch (...) {
        expect(is_lack(), "why reading failed");
    }
    auto waiting = create_task(right.reader.read(10));
    co_await sleep(1ms);
    waiting.cancel();
    co_await sleep(1ms);
    expect(waiting.done(), "a read that is cancelled");
}

Coro<> wait_for_reset(std::shared_ptr<Event> over, StreamReader reader, StreamWriter writer) {
    try {
        co_await reader.read(10);
        co_await reader.read(10);
        writer.write("x");
        co_await writer.drain();
    } catch (...) {
        expect(is_lack(), "why the connection was lost");
    }
    over->set();
}

Coro<> a_peer_resets() {
    auto over = std::make_shared<Event>();
    auto handle = [over](StreamReader reader, StreamWriter writer) {
        return wait_for_reset(over, std::move(reader), std::move(writer));
    };
    Server server = co_await start_server(handle, "127.0.0.1", 0);
    Socket socket(AddressFamily::INET);
    SocketAddress address = server.sockets()[0].getsockname();
    co_await sock_connect(socket, address);
    co_await sock_sendall(socket, "x");
    co_await sleep(10ms);
    linger at_once{1, 0};
    socket.setsockopt(SOL_SOCKET, SO_LINGER, BytesLike(&at_once, sizeof at_once));
    socket.close();
    try {
        co_await wait_for(over->wait(), 1s);
    } catch (const TimeoutError&) {  // it was never made
    }
    server.close();
    co_await server.wait_closed();
}

Coro<> serve_for_ever(Server server) { co_await server.serve_forever(); }

Coro<> a_unix_server_serves_until_it_is_cancelled() {
    std::string path = "/tmp/asyncio-faults-" + std::to_string(::getpid());
    Server server = co_await start_unix_server(echo, path);
    auto serving = create_task(serve_for_ever(server));
    co_await sleep(1ms);
    Streams streams = co_await open_unix_connection(path);
    streams.writer.write("hello\n");
    try {
        co_await wait_for(streams.reader.readline(), 5s);
    } catch (const TimeoutError&) {  // the server cannot accept
    }
    serving.cancel();
    auto [done, pending] = co_await wait(serving);
    server.close_clients();
    server.close();
    co_await server.wait_closed();
    if (!calls_may_fail()) expect(::access(path.c_str(), F_OK) != 0, "the path is taken away");
}

Coro<> a_server_is_closed_while_it_serves_for_ever() {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.start_serving = false});
    auto serving = create_task(serve_for_ever(server));
    co_await sleep(1ms);
    server.close();
    auto [done, pending] = co_await wait(serving);
    co_await server.wait_closed();
}

Coro<> connecting_fails() {
    Socket bound(AddressFamily::INET);
    SocketAddress any("127.0.0.1", 0);
    bound.bind(any);
    int port = bound.getsockname().port();
    for (bool all : {false, true}) {
        OpenConnectionOptions options;
        options.all_errors = all;
        options.happy_eyeballs_delay = all ? std::optional<Seconds>(250ms) : std::nullopt;
        try {
            co_await open_connection("127.0.0.1", port, options);
            expect(false, "nobody listens");
        } catch (const OSError&) {
        } catch (const BaseExceptionGroup&) {
        }
    }
}

}  // namespace

std::vector<Program> stream_programs() {
    return {
        {.name = "LinesAreEchoed", .main = lines_are_echoed},
        {.name = "MuchIsWritten", .main = much_is_written},
        {.name = "AllKindsOfReading", .main = all_kinds_of_reading},
        {.name = "APeerResets", .main = a_peer_resets},
        {.name = "AUnixServerServesUntilItIsCancelled", .main = a_unix_server_serves_until_it_is_cancelled},
        {.name = "AServerIsClosedWhileItServesForEver", .main = a_server_is_closed_while_it_serves_for_ever},
        {.name = "ConnectingFails", .main = connecting_fails},
    };
}

}  // namespace faults
