// Sends each word as a datagram, and waits for the answer; three times, for a datagram may be lost.
//
//     udp_echo_client HOST PORT WORD...
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

/// Hands what is received over to who waits for it.
class Answers : public asyncio::DatagramProtocol {
public:
    void datagram_received(std::string_view data, const asyncio::SocketAddress&) override {
        queue_.put_nowait(std::string(data));
    }
    void error_received(std::exception_ptr error) override { queue_.put_nowait("error: " + asyncio::str(error)); }

    /// Nothing if none comes in time.
    asyncio::Coro<std::optional<std::string>> next(asyncio::Seconds patience) {
        try {
            std::string answer = co_await asyncio::wait_for(queue_.get(), patience);
            co_return answer;
        } catch (const asyncio::TimeoutError&) {
            co_return std::nullopt;
        }
    }

private:
    asyncio::Queue<std::string> queue_;
};

asyncio::Coro<bool> ask(asyncio::DatagramTransport transport, asyncio::ProtocolRef<Answers> answers, std::string word) {
    for (int attempt = 1; attempt <= 3; ++attempt) {
        say("sent " + word);
        transport.sendto(word);
        std::optional<std::string> answer = co_await answers->next(asyncio::Seconds(0.5));
        if (!answer) continue;
        say("received " + *answer);
        co_return true;
    }
    say("no answer");
    co_return false;
}

asyncio::Coro<> talk(std::string host, std::string port, std::vector<std::string> words) {
    auto endpoint =
        co_await asyncio::create_datagram_endpoint([] { return Answers(); }, nullptr, asyncio::HostPort(host, port));
    for (std::string& word : words) {
        bool answered = co_await ask(endpoint.transport, endpoint.protocol, word);
        if (!answered) break;
    }
    endpoint.transport.close();
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    if (argc < 4) {
        std::fputs("usage: udp_echo_client HOST PORT WORD...\n", stderr);
        return 2;
    }
    return run_and_report(talk(argv[1], argv[2], std::vector<std::string>(argv + 3, argv + argc)));
}
