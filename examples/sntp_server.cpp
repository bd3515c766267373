// Tells the time by SNTP, until Ctrl-C or SIGTERM.
//
//     sntp_server [PORT [OFFSET]]      OFFSET: so many seconds it is ahead; try it with: sntp_client 127.0.0.1 PORT
#include "common/arguments.h"
#include "common/ntp.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

class TimeServer : public asyncio::DatagramProtocol {
public:
    explicit TimeServer(double offset) : offset_(offset) {}
    void connection_made(asyncio::DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const asyncio::SocketAddress& address) override {
        NtpTime received = ntp_now(offset_);
        std::optional<NtpPacket> asked = NtpPacket::parse(data);
        // Only what a client asks is answered: two servers must not answer each other for ever. An answer is never
        // larger than its question, and who sends faster than we can answer is not answered.
        if (!asked || asked->mode != NtpPacket::client || asked->version < 1 || asked->version > 4 || paused_) return;
        NtpPacket answer;
        answer.version = asked->version;
        answer.mode = NtpPacket::server;
        answer.stratum = 1;
        answer.poll = asked->poll;
        answer.reference = "LOCL";
        answer.origin = asked->transmit;
        answer.received = received;
        answer.transmit = ntp_now(offset_);
        transport_.sendto(answer.str(), address);
    }
    void error_received(std::exception_ptr error) override { say("error: " + asyncio::str(error)); }
    void pause_writing() override { paused_ = true; }
    void resume_writing() override { paused_ = false; }

private:
    asyncio::DatagramTransport transport_;
    double offset_;
    bool paused_ = false;
};

asyncio::Coro<> serve(int port, double offset) {
    auto factory = [&] { return TimeServer(offset); };
    auto endpoint = co_await asyncio::create_datagram_endpoint(factory, asyncio::HostPort("127.0.0.1", port));
    co_await wait_for_a_signal("serving on " + repr(endpoint.transport.get_extra_info("sockname")));
    endpoint.transport.close();
    say("closed");
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto port = number(argc, argv, 1, 0, 0, 65535);
    auto offset = number(argc, argv, 2, 0, -1e9, 1e9);
    if (argc > 3 || !port || !offset) {
        std::fputs("usage: sntp_server [PORT [OFFSET]]\n", stderr);
        return 2;
    }
    return run_and_report(serve(static_cast<int>(*port), *offset));
}
