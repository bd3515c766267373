// An echo server by TLS, and a client that trusts its certificate and nobody else's.
//
//     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30
//         -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext keyUsage=digitalSignature,keyCertSign
//     tls_echo cert.pem key.pem

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

#include <cstdio>
#include <string>

using namespace asyncio;

Coro<> echo(StreamReader reader, StreamWriter writer) {
    while (auto line = co_await reader.next()) {
        writer.write(*line);
        co_await writer.drain();
    }
    writer.close();
    co_await writer.wait_closed();
}

Coro<> ask(int port, std::string cafile, std::string name) {
    SSLContext context = create_default_context(Purpose::SERVER_AUTH, {.cafile = cafile});
    OpenConnectionOptions options = {.ssl = context, .server_hostname = name};
    try {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
        SSLObject tls = writer.get_extra_info("ssl_object");
        std::printf("%s is %s, by %s\n", name.c_str(), tls.getpeercert()->subject[0][0].second.c_str(),
                    tls.version()->c_str());
        writer.write("hello\n");
        std::string line = co_await reader.readline();
        std::printf("%s", line.c_str());
        writer.close();
        co_await writer.wait_closed();
    } catch (const SSLCertVerificationError& error) {
        std::printf("%s is somebody else: %s\n", name.c_str(), error.reason().c_str());
    }
}

Coro<> amain(std::string certfile, std::string keyfile) {
    SSLContext context = create_default_context(Purpose::CLIENT_AUTH);
    context.load_cert_chain(certfile, {.keyfile = keyfile});
    StartServerOptions options = {.ssl = context};
    Server server = co_await start_server(echo, "127.0.0.1", 0, options);
    int port = server.sockets()[0].getsockname().port();
    co_await ask(port, certfile, "localhost");
    co_await ask(port, certfile, "example.org");
    server.close();
    co_await server.wait_closed();
}

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: tls_echo CERTIFICATE KEY\n");
        return 2;
    }
    run(amain(argv[1], argv[2]));
}
