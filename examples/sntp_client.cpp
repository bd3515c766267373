// Asks a server for the time by SNTP, and prints by how much this machine's clock is behind.
//
//     sntp_client HOST [PORT]
#include "common/ntp.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

/// Keeps what comes, with the time at which it came, for who waits for it.
class Answers : public asyncio::DatagramProtocol {
public:
    struct Answer {
        NtpTime arrived = 0;
        std::string data;
        std::exception_ptr error;  // or this
    };
    void datagram_received(std::string_view data, const asyncio::SocketAddress&) override {
        keep({ntp_now(), std::string(data.substr(0, NtpPacket::size)), nullptr});
    }
    void error_received(std::exception_ptr error) override { keep({ntp_now(), "", error}); }
    asyncio::Coro<Answer> next() { co_return co_await queue_.get(); }

private:
    void keep(Answer answer) {
        if (!queue_.full()) queue_.put_nowait(std::move(answer));  // nobody can fill our memory
    }
    asyncio::Queue<Answer> queue_ = asyncio::Queue<Answer>(64);
};

/// The answer to what was sent with this `transmit`: what others send, or came late, is passed over.
asyncio::Coro<std::pair<NtpPacket, NtpTime>> answer_to(asyncio::ProtocolRef<Answers> answers, NtpTime transmit) {
    for (;;) {
        Answers::Answer answer = co_await answers->next();
        if (answer.error) std::rethrow_exception(answer.error);
        std::optional<NtpPacket> packet = NtpPacket::parse(answer.data);
        if (!packet || packet->mode != NtpPacket::server || packet->origin != transmit) continue;
        if (packet->stratum == 0) throw std::runtime_error("the server refuses: " + harmless(packet->reference));
        if (packet->leap == 3 || packet->stratum > 15 || packet->transmit == 0) {
            throw std::runtime_error("the server does not know the time");
        }
        co_return std::pair(*packet, answer.arrived);
    }
}

asyncio::Coro<> ask(asyncio::DatagramTransport transport, asyncio::ProtocolRef<Answers> answers) {
    std::random_device random;
    for (int attempt = 1; attempt <= 3; ++attempt) {
        NtpPacket question;
        // Not the time: a number that nobody can guess, so that only who got the question can answer it.
        question.transmit = NtpTime{random()} << 32 | random();
        NtpTime sent = ntp_now();
        transport.sendto(question.str());
        try {
            auto got = co_await asyncio::wait_for(answer_to(answers, question.transmit), 1);
            auto& [packet, arrived] = got;
            double there = ntp_difference(packet.received, sent);
            double back = ntp_difference(arrived, packet.transmit);
            double held = ntp_difference(packet.transmit, packet.received);
            char line[100];
            std::snprintf(line, sizeof line, "offset %+.6f s, delay %.6f s, stratum %u", (there - back) / 2,
                          ntp_difference(arrived, sent) - held, packet.stratum);
            say(line);
            co_return;
        } catch (const asyncio::TimeoutError&) {
        }
    }
    throw std::runtime_error("no answer");
}

asyncio::Coro<> talk(std::string host, std::string port) {
    auto endpoint =
        co_await asyncio::create_datagram_endpoint([] { return Answers(); }, nullptr, asyncio::HostPort(host, port));
    co_await ask(endpoint.transport, endpoint.protocol);
    endpoint.transport.close();
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    if (argc < 2 || argc > 3) {
        std::fputs("usage: sntp_client HOST [PORT]\n", stderr);
        return 2;
    }
    return run_and_report(talk(argv[1], argc == 3 ? argv[2] : "123"));
}
