// Sends everybody back what they send, until Ctrl-C or SIGTERM.
//
//     echo_server [PORT [CLIENTS [SECONDS OF PATIENCE]]]      try it with: nc 127.0.0.1 PORT
//     echo_server --cert CERTIFICATE [--key KEY] ...          by TLS: openssl s_client -connect 127.0.0.1:PORT
//
// A free port if none is given. It lets go of clients that are silent, or read nothing, for longer than its patience.
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"
#include "common/tls.h"

#include <asyncio/asyncio.h>

#include <algorithm>
#include <cstdio>
#include <string>

struct Limits {
    Tls tls;
    asyncio::Semaphore places;
    asyncio::Seconds patience;
};

asyncio::Coro<> echo(Limits& limits, asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    std::string peer = repr(writer.get_extra_info("peername"));
    if (limits.places.locked()) {
        say(peer + ": no place is free");
        co_return;  // nobody has a handle of the stream now, so it is closed
    }
    auto place = co_await limits.places.guard();
    say(peer + ": hello");
    std::size_t total = 0;
    try {
        while (true) {
            std::string data = co_await asyncio::wait_for(reader.read(65536), limits.patience);
            if (data.empty()) break;
            total += data.size();
            writer.write(data);
            co_await asyncio::wait_for(writer.drain(), limits.patience);  // who does not read is not read from
        }
        say(peer + ": goodbye after " + std::to_string(total) + " bytes");
    } catch (const asyncio::TimeoutError&) {
        say(peer + ": too slow");
    } catch (const asyncio::OSError& error) {
        say(peer + ": " + error.what());
    }
    co_await close_in_time(writer, limits.patience);
}

asyncio::Coro<> serve(Limits& limits, int port) {
    auto serve_one = [&limits](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
        return echo(limits, std::move(reader), std::move(writer));
    };
    asyncio::StartServerOptions options = {.keep_alive = true, .ssl = limits.tls.option()};
    if (options.ssl) options.ssl_handshake_timeout = options.ssl_shutdown_timeout = limits.patience;
    asyncio::Server server = co_await asyncio::start_server(serve_one, "127.0.0.1", port, options);
    co_await serve_until_a_signal(server, std::min(limits.patience, asyncio::Seconds(5)));
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto certfile = take_option(argc, argv, "--cert"), keyfile = take_option(argc, argv, "--key");
    auto port = number(argc, argv, 1, 0, 0, 65535), clients = number(argc, argv, 2, 500, 1, 1e6);
    auto patience = number(argc, argv, 3, 300, 0.01, 1e6);
    if (argc > 4 || !port || !clients || !patience) {
        std::fputs("usage: echo_server [--cert FILE [--key FILE]] [PORT [CLIENTS [SECONDS OF PATIENCE]]]\n", stderr);
        return 2;
    }
    Limits limits{Tls(), asyncio::Semaphore(static_cast<int>(*clients)), asyncio::Seconds(*patience)};
    try {
        if (certfile) limits.tls.show(*certfile, keyfile.value_or(""));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", certfile->c_str(), error.what());
        return 2;
    }
    return run_and_report(serve(limits, static_cast<int>(*port)));
}
