// Serves the files of a folder by HTTP/1.1: to browsers, curl, wrk. Keeps connections, knows ranges, HEAD and
// conditional requests, lists folders, has limits and patience, and ends well on SIGTERM and Ctrl-C.
//
//     file_server [--cert FILE [--key FILE]] FOLDER [PORT [HOST [SECONDS OF PATIENCE [CONNECTIONS]]]]
//
// With a certificate it serves by HTTPS: docs/tls.md tells how to make one for trying.
// Links are followed if they are relative and lead to what is in the folder. It needs /proc.
#include "../common/arguments.h"
#include "../common/serving.h"
#include "../common/tls.h"
#include "connection.h"

#include <asyncio/asyncio.h>

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

using namespace std::chrono_literals;

asyncio::Coro<> serve(Site& site, const Tls& tls, const char* host, int port) {
    auto serve_client = [&](asyncio::StreamReader reader, asyncio::StreamWriter writer) -> asyncio::Coro<> {
        if (site.connections.size() >= site.most_connections) {
            Headers headers = {{"Content-Length", "0"}, {"Retry-After", "10"}};
            writer.write(response_head(503, headers, false));
            co_return;
        }
        Connection connection(site, std::move(reader), std::move(writer));
        co_await connection.serve();
    };
    asyncio::StartServerOptions options = {.limit = 16 * 1024, .backlog = site.backlog, .keep_alive = true};
    options.ssl = tls.option();
    if (options.ssl) {
        options.ssl_handshake_timeout = site.patience;
        options.ssl_shutdown_timeout = std::min(site.patience, asyncio::Seconds(2));
    }
    asyncio::Server server = co_await asyncio::start_server(serve_client, host, port, options);
    co_await wait_for_a_signal("serving on " + repr(server.sockets()[0].getsockname()));

    // Nobody new; who is being answered gets the whole answer, but not for ever.
    server.close();
    site.stopping = true;
    for (Connection* connection : site.connections) connection->stop();
    try {
        co_await asyncio::wait_for(server.wait_closed(), 10s);
    } catch (const asyncio::TimeoutError&) {
        server.abort_clients();
    }
    say("stopped");
}

/// Each connection may need three descriptors, its own and two to find and to read what it wants; and as many may come
/// at once as wait to be accepted.
void set_limits(Site& site, double connections) {
    rlimit files = {};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 10'000);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    auto descriptors = static_cast<std::size_t>(std::max<rlim_t>(files.rlim_cur, 100));
    site.backlog = static_cast<int>(descriptors / 10);
    site.most_connections = std::min(static_cast<std::size_t>(connections), (descriptors * 9 / 10 - 64) / 3);
}

int complain(const std::string& sentence) { return std::fprintf(stderr, "%s\n", sentence.c_str()), 2; }

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto certfile = take_option(argc, argv, "--cert"), keyfile = take_option(argc, argv, "--key");
    auto port = number(argc, argv, 2, 8000, 0, 65535), patience = number(argc, argv, 4, 15, 0.01, 1e6);
    auto connections = number(argc, argv, 5, 1000, 1, 1e6);
    if (argc < 2 || argc > 6 || !port || !patience || !connections) {
        return complain(
            "usage: file_server [--cert FILE [--key FILE]] FOLDER [PORT [HOST [SECONDS OF PATIENCE "
            "[CONNECTIONS]]]]");
    }
    Site site;
    site.root = Descriptor(::open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!site.root) return complain(argv[1] + std::string(": ") + std::strerror(errno));
    if (::access("/proc/self/fd", X_OK) != 0) return complain("/proc/self/fd: " + std::string(std::strerror(errno)));
    site.patience = asyncio::Seconds(*patience);
    set_limits(site, *connections);
    Tls tls;
    try {
        if (certfile) tls.show(*certfile, keyfile.value_or(""));
    } catch (const std::exception& error) {
        return complain(*certfile + ": " + error.what());
    }
    return run_and_report(serve(site, tls, argc > 3 ? argv[3] : "127.0.0.1", static_cast<int>(*port)));
}
