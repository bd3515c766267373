// A server by TLS: it sends back what it gets, or sends for ever, or takes all.
#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

#include <string>

#include "bench.h"

using namespace asyncio;

namespace {

const std::string piece(64 * 1024, 'x');

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string data = co_await reader.read(65536);
        if (data.empty()) break;
        writer.write(data);
        co_await writer.drain();
    }
    writer.close();
}

Coro<> download(StreamReader, StreamWriter writer) {
    try {
        for (;;) {
            writer.write(piece);
            co_await writer.drain();
        }
    } catch (const OSError&) {  // it has enough
    }
    writer.abort();
}

Coro<> upload(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string data = co_await reader.read(65536);
        if (data.empty()) break;
    }
    writer.close();
}

Coro<> serve(std::string_view way) {
    std::string folder = std::getenv("BENCH_TLS");
    SSLContext context = create_default_context(Purpose::CLIENT_AUTH);
    context.load_cert_chain(folder + "/cert.pem", {.keyfile = folder + "/key.pem"});
    StartServerOptions options = {.backlog = 1024, .ssl = context};
    Server server = co_await start_server(way == "echo"       ? echo
                                          : way == "download" ? download
                                                              : upload,
                                          "127.0.0.1", 0, options);
    bench::listens(server.sockets()[0].getsockname().port());
    co_await server.serve_forever();
}

}  // namespace

int main(int argc, char** argv) {
    bench::allow_connections();
    if (argc == 2) run(serve(argv[1]));
    return 2;
}
