// A SOCKS5 proxy (RFC 1928) that connects and relays, asked by clients of its own.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <arpa/inet.h>

#include <cstdio>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;

enum : unsigned char { VERSION = 5, NO_PASSWORD = 0, CONNECT = 1, BIND = 2, IPV4 = 1, NAME = 3, IPV6 = 4 };

enum class Reply { GRANTED, FAILED, NOT_ALLOWED, NO_NETWORK, NO_HOST, REFUSED, TTL, NO_SUCH_COMMAND, NO_SUCH_ADDRESS };

const char* name_of(Reply reply) {
    static const char* const names[] = {"GRANTED", "FAILED", "NOT_ALLOWED",     "NO_NETWORK",     "NO_HOST",
                                        "REFUSED", "TTL",    "NO_SUCH_COMMAND", "NO_SUCH_ADDRESS"};
    return names[static_cast<int>(reply)];
}

struct ProxyError : RuntimeError {
    explicit ProxyError(Reply why)
        : RuntimeError(name_of(why) + (" (" + std::to_string(static_cast<int>(why)) + ")")), reply(why) {}
    Reply reply;
};

/// struct.pack("!BBB…") and "!H".
std::string bytes(std::initializer_list<int> values) { return {values.begin(), values.end()}; }
std::string short_number(int value) { return bytes({value >> 8, value & 255}); }
int number(std::string_view data, std::size_t at) { return static_cast<unsigned char>(data[at]); }

std::string host_in(int family, const std::string& address) {
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(family, address.data(), text, sizeof text);
}

Coro<std::pair<std::string, int>> read_address(StreamReader& reader) {
    std::string kind = co_await reader.readexactly(1), host;
    if (kind[0] == IPV4) {
        std::string address = co_await reader.readexactly(4);
        host = host_in(AF_INET, address);
    } else if (kind[0] == IPV6) {
        std::string address = co_await reader.readexactly(16);
        host = host_in(AF_INET6, address);
    } else if (kind[0] == NAME) {
        std::string length = co_await reader.readexactly(1);
        host = co_await reader.readexactly(number(length, 0));
    } else {
        throw ProxyError(Reply::NO_SUCH_ADDRESS);
    }
    std::string port = co_await reader.readexactly(2);
    co_return std::pair(host, number(port, 0) << 8 | number(port, 1));
}

Coro<Streams> open_upstream(StreamReader& reader, StreamWriter& writer) {
    std::string greeting = co_await reader.readexactly(2);
    co_await reader.readexactly(number(greeting, 1));
    writer.write(bytes({VERSION, NO_PASSWORD}));
    std::string request = co_await reader.readexactly(3);
    auto address = co_await read_address(reader);
    auto& [host, port] = address;
    if (request[1] != CONNECT) throw ProxyError(Reply::NO_SUCH_COMMAND);
    try {
        co_return co_await open_connection(host, port);
    } catch (const ConnectionRefusedError&) {
        throw ProxyError(Reply::REFUSED);
    } catch (const gaierror&) {
        throw ProxyError(Reply::NO_HOST);
    } catch (const OSError&) {
        throw ProxyError(Reply::FAILED);
    }
}

std::string reply(Reply code) { return bytes({VERSION, static_cast<int>(code), 0, IPV4, 0, 0, 0, 0, 0, 0}); }

Coro<> copy(StreamReader reader, StreamWriter writer) {
    try {
        while (true) {
            std::string data = co_await reader.read(65536);
            if (data.empty()) break;
            writer.write(std::move(data));
            co_await writer.drain();
        }
        writer.write_eof();
    } catch (const ConnectionError&) {
    }
}

Coro<> talk(StreamReader reader, StreamWriter writer) {
    try {
        Streams upstream = co_await with(timeout(5s), [&](Timeout&) { return open_upstream(reader, writer); });
        writer.write(reply(Reply::GRANTED));
        co_await try_finally(gather(copy(reader, upstream.writer), copy(upstream.reader, writer)),
                             [&] { upstream.writer.close(); });
    } catch (const ProxyError& error) {
        std::printf("proxy: %s\n", error.what());
        writer.write(reply(error.reply));
    } catch (const IncompleteReadError& error) {
        std::printf("proxy: the end came after %zu of %zu bytes\n", error.partial().size(), *error.expected());
    } catch (const TimeoutError&) {
        std::puts("proxy: a client was silent");
    }
}

Coro<> close(StreamWriter writer) {
    writer.close();
    try {
        co_await writer.wait_closed();
    } catch (const ConnectionError&) {
    }
}

Coro<> serve(StreamReader reader, StreamWriter writer) { return try_finally(talk(reader, writer), close(writer)); }

Coro<> shout(StreamReader reader, StreamWriter writer) {
    std::string text = co_await reader.read();
    for (char& each : text) each = static_cast<char>(std::toupper(each));
    writer.write(text);
    co_await writer.drain();
    writer.close();
}

Coro<> ask(int proxy, std::string host, int port, std::string text, int command = CONNECT) {
    auto [reader, writer] = co_await open_connection("127.0.0.1", proxy);
    writer.write(bytes({VERSION, 1, NO_PASSWORD}));
    co_await reader.readexactly(2);
    writer.write(bytes({VERSION, command, 0, NAME, static_cast<int>(host.size())}) + host + short_number(port));
    std::string answer = co_await reader.readexactly(10);
    Reply code{number(answer, 1)};
    if (code == Reply::GRANTED) {
        writer.write(text);
        writer.write_eof();
        std::string all = co_await reader.read();
        std::printf("client: %s\n", all.c_str());
    } else {
        std::printf("client: %s\n", name_of(code));
    }
    writer.close();
    co_await writer.wait_closed();
}

int port_of(const Server& server) { return server.sockets()[0].getsockname().port(); }

Coro<> ask_all(int target, int proxy) {
    co_await ask(proxy, "127.0.0.1", target, "hello by number");
    co_await ask(proxy, "localhost", target, "hello by name");
    co_await ask(proxy, "127.0.0.1", target, "", BIND);
    Socket nobody(AddressFamily::INET, SocketKind::STREAM);
    nobody.bind(SocketAddress("127.0.0.1", 0));
    co_await ask(proxy, "127.0.0.1", nobody.getsockname().port(), "");
    auto [reader, writer] = co_await open_connection("127.0.0.1", proxy);
    writer.write("\5");
    writer.close();
    co_await writer.wait_closed();
    co_await sleep(0.05);
}

Coro<> amain() {
    co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
        Server target = co_await start_server(shout, "127.0.0.1", 0);
        co_await stack.enter_async_context(target);
        Server proxy = co_await start_server(serve, "127.0.0.1", 0);
        co_await stack.enter_async_context(proxy);
        co_await ask_all(port_of(target), port_of(proxy));
    });
}

int main() { return run_main(amain()); }
