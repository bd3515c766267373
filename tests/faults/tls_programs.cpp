// Programs that speak TLS. Where OpenSSL is missing there are none.
#include <asyncio/asyncio.h>

#include <memory>
#include <string>
#include <vector>

#include "faults/programs.h"

#ifdef FAULTS_TLS
#include <asyncio/tls.h>
#include <openssl/err.h>

#include "tls/engine_support.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

int port_of(const Server& server) { return server.sockets().at(0).getsockname().port(); }

Coro<> echo(StreamReader reader, StreamWriter writer) {
    for (;;) {
        std::string line = co_await reader.readline();
        if (line.empty()) break;
        writer.write(line);
        co_await writer.drain();
    }
    writer.close();
}

/// Of the queue that all connections share.
void expect_no_errors_left() { expect(ERR_peek_error() == 0, "the queue of errors is left dirty"); }

Coro<> ask(Streams streams) {
    std::string longer(30'000, 'x');
    for (int i = 0; i < 2; ++i) {
        std::vector<BytesLike> parts = {longer, "\n"};
        streams.writer.writelines(parts);
        co_await streams.writer.drain();
        std::string line = co_await streams.reader.readline();
        expect_no_errors_left();
        if (line.empty()) break;  // the other end had no memory
        expect(line == longer + "\n", "the line that comes back");
    }
    streams.writer.close();
    co_await streams.writer.wait_closed();
}

Coro<> lines_are_echoed_by_tls() {
    StartServerOptions of_server = {.ssl = support::for_servers()};
    Server server = co_await start_server(echo, "127.0.0.1", 0, of_server);
    OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
    Streams streams = co_await open_connection("127.0.0.1", port_of(server), options);
    co_await ask(std::move(streams));
    server.close();
    co_await server.wait_closed();
    expect_no_errors_left();
}

Coro<> echo_by_tls(StreamReader reader, StreamWriter writer) {
    co_await writer.start_tls(support::for_servers());
    co_await echo(reader, writer);
}

Coro<> a_stream_goes_on_by_tls() {
    Server server = co_await start_server(echo_by_tls, "127.0.0.1", 0);
    Streams streams = co_await open_connection("127.0.0.1", port_of(server));
    StartTlsOptions options = {.server_hostname = "localhost"};
    co_await streams.writer.start_tls(support::for_clients(), options);
    co_await ask(std::move(streams));
    server.close();
    co_await server.wait_closed();
    expect_no_errors_left();
}

/// Reads when the other end has long had to wait.
Coro<> much_waits_by_tls() {
    auto [own, other] = socketpair();
    OpenConnectionOptions of_client = {.sock = &own, .ssl = support::for_clients(), .server_hostname = "localhost"};
    OpenConnectionOptions of_server = {.sock = &other};
    std::string much(400'000, 'm');
    std::string got;
    auto serve = [&]() -> Coro<> {
        Streams streams = co_await open_connection(of_server);
        StartTlsOptions options = {.server_side = true};
        co_await streams.writer.start_tls(support::for_servers(), options);
        co_await streams.reader.readexactly(1);
        co_await sleep(0.001);
        got = co_await streams.reader.read();
        streams.writer.close();
    };
    auto write = [&]() -> Coro<> {
        Streams streams = co_await open_connection(of_client);
        for (int i = 0; i < 2; ++i) streams.writer.write(much);
        streams.writer.close();
        co_await streams.writer.wait_closed();
    };
    co_await with(TaskGroup{}, [&](TaskGroup& group) {
        group.create_task(serve);
        group.create_task(write);
    });
    expect(got.find_first_not_of('m') == got.npos, "what comes");
    expect_no_errors_left();
}

}  // namespace

std::vector<Program> tls_programs() {
    // By the system's clock: without TCP_NODELAY, which may fail, the kernel holds small packets back for some time.
    support::for_servers();  // made before anything fails
    support::for_clients();
    return {
        {.name = "LinesAreEchoedByTls", .main = lines_are_echoed_by_tls, .real_time = true},
        {.name = "AStreamGoesOnByTls", .main = a_stream_goes_on_by_tls, .real_time = true},
        {.name = "MuchWaitsByTls", .main = much_waits_by_tls, .real_time = true},
    };
}

}  // namespace faults

#else

namespace faults {
std::vector<Program> tls_programs() { return {}; }
}  // namespace faults

#endif
