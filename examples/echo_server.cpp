// Sends everybody back what they send. Any number of clients, until Ctrl-C or SIGTERM.
//
//     echo_server [PORT]         a free port if none is given; try it with: nc 127.0.0.1 PORT
#include <asyncio/asyncio.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

asyncio::Coro<> echo(asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    std::string peer = repr(writer.get_extra_info("peername"));
    std::printf("%s: hello\n", peer.c_str());
    std::size_t total = 0;
    try {
        while (true) {
            std::string data = co_await reader.read(65536);
            if (data.empty()) break;
            total += data.size();
            writer.write(data);
            co_await writer.drain();  // a client that does not read is not read from
        }
        std::printf("%s: goodbye after %zu bytes\n", peer.c_str(), total);
    } catch (const asyncio::ConnectionError& error) {
        std::printf("%s: %s\n", peer.c_str(), error.what());
    }
    writer.close();
}

asyncio::Coro<> amain(int port) {
    asyncio::Server server = co_await asyncio::start_server(echo, "127.0.0.1", port);
    asyncio::AnyTask self = asyncio::current_task();
    asyncio::get_running_loop().add_signal_handler(SIGTERM, [self]() mutable { self.cancel(); });
    std::printf("serving on %s\n", repr(server.sockets()[0].getsockname()).c_str());
    try {
        co_await server.serve_forever();
    } catch (const asyncio::CancelledError&) {
        std::puts("closed");
    }
}

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    try {
        asyncio::run(amain(argc > 1 ? std::atoi(argv[1]) : 0));
    } catch (const asyncio::KeyboardInterrupt&) {
        return 130;
    } catch (const asyncio::OSError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
