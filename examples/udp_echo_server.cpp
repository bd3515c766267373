// Sends every datagram back to where it came from, until Ctrl-C or SIGTERM.
//
//     udp_echo_server [PORT]      try it with: udp_echo_client 127.0.0.1 PORT hello
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

class Echo : public asyncio::DatagramProtocol {
public:
    void connection_made(asyncio::DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const asyncio::SocketAddress& address) override {
        // Who sends faster than we can answer is not answered: a datagram may be lost on its way, too.
        if (!paused_) transport_.sendto(data, address);
    }
    void error_received(std::exception_ptr error) override { say("error: " + asyncio::str(error)); }
    void pause_writing() override { paused_ = true; }
    void resume_writing() override { paused_ = false; }

private:
    asyncio::DatagramTransport transport_;
    bool paused_ = false;
};

asyncio::Coro<> serve(int port) {
    auto endpoint =
        co_await asyncio::create_datagram_endpoint([] { return Echo(); }, asyncio::HostPort("127.0.0.1", port));
    co_await wait_for_a_signal("serving on " + repr(endpoint.transport.get_extra_info("sockname")));
    endpoint.transport.close();
    say("closed");
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto port = number(argc, argv, 1, 0, 0, 65535);
    if (argc > 2 || !port) {
        std::fputs("usage: udp_echo_server [PORT]\n", stderr);
        return 2;
    }
    return run_and_report(serve(static_cast<int>(*port)));
}
