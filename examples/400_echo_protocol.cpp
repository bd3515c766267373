// An echo server and its client by protocols: classes that are called when something happens.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <utility>

class EchoServerProtocol : public asyncio::Protocol {
public:
    void connection_made(asyncio::Transport transport) override {
        std::string host = transport.get_extra_info("peername").address().host();
        std::printf("Connection from %s\n", host.c_str());
        transport_ = std::move(transport);
    }

    void data_received(std::string_view data) override {
        std::string message(data);
        std::printf("Data received: '%s'\n", message.c_str());
        std::printf("Send: '%s'\n", message.c_str());
        transport_.write(data);
        std::puts("Close the client socket");
        transport_.close();
    }

private:
    asyncio::Transport transport_;
};

class EchoClientProtocol : public asyncio::Protocol {
public:
    EchoClientProtocol(std::string message, asyncio::Future<bool> on_con_lost)
        : message_(std::move(message)), on_con_lost_(std::move(on_con_lost)) {}

    void connection_made(asyncio::Transport transport) override {
        transport.write(message_);
        std::printf("Data sent: '%s'\n", message_.c_str());
    }

    void data_received(std::string_view data) override {
        std::printf("Data received: '%s'\n", std::string(data).c_str());
    }

    void connection_lost(std::exception_ptr) override {
        std::puts("The server closed the connection");
        on_con_lost_.set_result(true);
    }

private:
    std::string message_;
    asyncio::Future<bool> on_con_lost_;
};

asyncio::Coro<> amain() {
    auto serving = [] { return EchoServerProtocol(); };
    asyncio::Server server = co_await asyncio::create_server(serving, "127.0.0.1", 0);
    int port = server.sockets()[0].getsockname().port();
    auto on_con_lost = asyncio::get_running_loop().create_future<bool>();
    std::string message = "Hello World!";
    auto [transport, protocol] = co_await asyncio::create_connection(
        [&] { return EchoClientProtocol(message, on_con_lost); }, "127.0.0.1", port);
    co_await on_con_lost;
    transport.close();
    server.close();
    co_await server.wait_closed();
}

int main() { asyncio::run(amain()); }
