// Serves the files of a folder by HTTP/1.1: to browsers, curl, wrk. Keeps connections, knows ranges, HEAD and
// conditional requests, lists folders, has limits and patience, and ends well on SIGTERM and Ctrl-C.
//
//     file_server FOLDER [PORT [HOST [SECONDS OF PATIENCE]]]
#include "connection.h"

#include <asyncio/asyncio.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> serve(Site& site, const char* host, int port) {
    auto serve_client = [&](asyncio::StreamReader reader, asyncio::StreamWriter writer) -> asyncio::Coro<> {
        Connection connection(site, std::move(reader), std::move(writer));
        co_await connection.serve();
    };
    asyncio::Server server = co_await asyncio::start_server(serve_client, host, port, {.backlog = 1000});
    asyncio::Event stop;
    for (int signum : {SIGTERM, SIGINT}) {
        asyncio::get_running_loop().add_signal_handler(signum, [&] { stop.set(); });
    }
    std::printf("serving on %s\n", repr(server.sockets()[0].getsockname()).c_str());
    co_await stop.wait();

    // Nobody new; who is being answered gets the whole answer, but not for ever.
    server.close();
    site.stopping = true;
    for (Connection* connection : site.connections) connection->stop();
    try {
        co_await asyncio::wait_for(server.wait_closed(), 10s);
    } catch (const asyncio::TimeoutError&) {
        server.abort_clients();
    }
    std::puts("stopped");
}

int main(int argc, char** argv) {
    char* root = argc > 1 ? ::realpath(argv[1], nullptr) : nullptr;
    if (root == nullptr) {
        std::fputs("usage: file_server FOLDER [PORT [HOST [SECONDS OF PATIENCE]]]\n", stderr);
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    Site site;
    site.root = root;
    std::free(root);
    if (argc > 4) site.patience = asyncio::Seconds(std::atof(argv[4]));
    try {
        asyncio::run(serve(site, argc > 3 ? argv[3] : "127.0.0.1", argc > 2 ? std::atoi(argv[2]) : 8000));
    } catch (const asyncio::OSError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
