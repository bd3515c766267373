#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>

#include "net/stream_support.h"
#include "tls/engine_support.h"
#include "tls/peer_programs.h"

// TLS with those who have learned it elsewhere: Python's asyncio, and the openssl command.

namespace asyncio {
namespace {

using namespace std::chrono_literals;
using support::client_context;
using support::outcome_of;
using support::port_in;
using support::port_of;
using support::Programs;
using support::run_net;
using support::server_context;

class TlsPeerExecutorTest : public support::NetTest {};  // the end of a program is waited for on a thread

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string part = co_await reader.read(65536);
        if (part.empty()) break;
        writer.write(part);
        co_await writer.drain();
    }
    writer.close();
}

const std::string python_client = R"(
import asyncio, ssl, sys

async def talk(port, size):
    context = ssl.create_default_context(cafile="ca.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    data = bytes(range(256)) * size

    async def send():
        for at in range(0, len(data), 30000):
            writer.write(data[at:at + 30000])
            await writer.drain()
    sending = asyncio.create_task(send())
    assert await reader.readexactly(len(data)) == data
    await sending
    writer.close()
    await writer.wait_closed()

async def main(port):
    await asyncio.gather(*(talk(port, size) for size in (0, 1, 10, 1000, 4000) * 3))

asyncio.run(main(int(sys.argv[1])))
print("all is well")
)";

TEST_F(TlsPeerExecutorTest, PythonsClientsTalkToOurServer) {
    Programs programs;
    programs.write("client.py", python_client);
    run_net([&]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
        std::string command = "python3 client.py " + std::to_string(port_of(server));
        std::string said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_EQ(said, "all is well\n");
        server.close();
        co_await server.wait_closed();
    });
}

const std::string python_server = R"(
import asyncio, ssl, sys

async def echo(reader, writer):
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()

async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("cert.pem", "key.pem")
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
    with open("port", "w") as file:
        file.write(f"{server.sockets[0].getsockname()[1]}\n")
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
)";

Coro<> talk_to_echo(int port, std::size_t size) {
    SSLContext client = client_context();
    OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
    Streams streams = co_await open_connection("127.0.0.1", port, options);
    std::string data(size, 'x');
    auto send = [&]() -> Coro<> {
        for (std::size_t at = 0; at < size; at += 30'000) {
            streams.writer.write(std::string_view(data).substr(at, 30'000));
            co_await streams.writer.drain();
        }
    };
    auto sending = create_task(send);
    std::string received = co_await streams.reader.readexactly(size);
    EXPECT_TRUE(received == data);
    co_await sending;
    streams.writer.close();
    co_await streams.writer.wait_closed();
}

TEST_F(TlsPeerExecutorTest, OurClientsTalkToPythonsServer) {
    Programs programs;
    programs.write("server.py", python_server);
    programs.write("go", "");
    run_net([&]() -> Coro<> {
        // It ends with its standard input, which goes when the file `go` is gone.
        std::string command = "(while [ -e go ]; do sleep 0.05; done) | python3 server.py";
        auto serving = create_task(to_thread([&] { return programs.run(command); }));
        int port = co_await port_in(programs);
        co_await gather(talk_to_echo(port, 0), talk_to_echo(port, 1), talk_to_echo(port, 100'000),
                        talk_to_echo(port, 2'000'000));
        programs.run("rm go");
        std::string said = co_await serving;
        EXPECT_EQ(said, "");
    });
}

TEST_F(TlsPeerExecutorTest, OpensslsClientTalksToOurServer) {
    Programs programs;
    run_net([&]() -> Coro<> {
        auto answer = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            std::string line;
            try {
                line = co_await reader.readline();
            } catch (const SSLError&) {  // a client that is refused
            }
            writer.write("you said " + line);
            writer.close();
        };
        Server server = co_await start_server(answer, "127.0.0.1", 0, {.ssl = support::for_servers()});
        std::string client = "openssl s_client -connect 127.0.0.1:" + std::to_string(port_of(server)) +
                             " -CAfile ca.pem -servername localhost -verify_hostname localhost -verify_return_error "
                             "-quiet -ign_eof ";
        for (const char* version : {"-tls1_2", "-tls1_3"}) {
            std::string command = "echo hello | " + client + version;
            std::string said = co_await to_thread([&] { return programs.run(command); });
            EXPECT_NE(said.find("you said hello\n"), said.npos) << said;
        }
        // Without a common version nobody is served, and the server goes on.
        std::string command = "echo hello | " + client + "-tls1_1 -cipher DEFAULT@SECLEVEL=0";
        std::string said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_NE(said.find("alert protocol version"), said.npos) << said;
        // Who asks to begin anew is refused.
        command =
            "(sleep 0.3; echo R; sleep 0.3) | openssl s_client -connect 127.0.0.1:" + std::to_string(port_of(server)) +
            " -CAfile ca.pem -tls1_2";
        said = co_await to_thread([&] { return programs.run(command); });
        EXPECT_NE(said.find("no renegotiation"), said.npos) << said;
        server.close();
        co_await server.wait_closed();
    });
}

TEST_F(TlsPeerExecutorTest, OurClientTalksToOpensslsServer) {
    Programs programs;
    run_net([&]() -> Coro<> {
        int port = support::free_port();
        std::string command = "openssl s_server -accept 127.0.0.1:" + std::to_string(port) +
                              " -cert cert.pem -key key.pem -rev -naccept 3 -alpn h2 >/dev/null";
        auto serving = create_task(to_thread([&] { return programs.run(command); }));
        SSLContext client = client_context();
        client.set_alpn_protocols({"h2"});
        int spoken = 0;
        for (int tries = 0; spoken < 3 && tries < 500; ++tries) {
            try {
                OpenConnectionOptions options = {.ssl = client, .server_hostname = "localhost"};
                Streams streams = co_await open_connection("127.0.0.1", port, options);
                EXPECT_EQ(SSLObject(streams.writer.get_extra_info("ssl_object")).selected_alpn_protocol(), "h2");
                streams.writer.write("hello\n");
                std::string line = co_await streams.reader.readline();
                EXPECT_EQ(line, "olleh\n");
                streams.writer.close();
                co_await streams.writer.wait_closed();
                ++spoken;
                continue;
            } catch (const ConnectionRefusedError&) {
            }
            co_await sleep(0.01);
        }
        EXPECT_EQ(spoken, 3);
        std::string said = co_await serving;
        EXPECT_EQ(said.find("error"), said.npos) << said;
    });
}

/// What is broken off anywhere, sent slowly, or no TLS at all, disturbs nobody else.
TEST_F(TlsPeerExecutorTest, BadPeersDisturbNobody) {
    run_net([&]() -> Coro<> {
        std::string told;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const ExceptionContext& context) { told += context.message + "; "; });
        Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
        int port = port_of(server);
        // The first bytes that a client says.
        MemoryBIO in, out;
        SSLObject client = client_context().wrap_bio(in, out, {.server_hostname = "localhost"});
        EXPECT_THROW(client.do_handshake(), SSLWantReadError);
        std::string hello = out.read();
        auto broken = [&](std::string bytes, bool reset) -> Coro<> {
            Streams streams = co_await open_connection("127.0.0.1", port);
            streams.writer.write(bytes);
            co_await sleep(0.002);
            reset ? support::reset(streams.writer) : streams.writer.close();
        };
        for (std::size_t size = 0; size < hello.size(); size += 9) {
            co_await gather(broken(hello.substr(0, size), false), broken(hello.substr(0, size), true));
        }
        std::string noise(16'384, '\0');
        for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * i * 31 + i / 7);
        co_await gather(broken(noise, false), broken("GET / HTTP/1.0\r\n\r\n", false), broken(hello + noise, false));
        // One that is slow, and good.
        Streams slow = co_await open_connection("127.0.0.1", port);
        for (char letter : hello) {
            slow.writer.write(std::string_view(&letter, 1));
            co_await sleep(0);
        }
        std::string answer = co_await slow.reader.read(5);
        EXPECT_EQ(answer.substr(0, 3), std::string("\x16\x03\x03", 3));
        slow.writer.abort();
        co_await talk_to_echo(port, 1000);
        EXPECT_EQ(told, "");
        server.close();
        co_await server.wait_closed();
    });
}

}  // namespace
}  // namespace asyncio
