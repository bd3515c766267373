// Asks a name server for addresses: by UDP, three times, and by TCP what is too large for that.
//
//     resolver SERVER PORT NAME...        try it with: resolver 1.1.1.1 53 debian.org
#include "common/dns_message.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <vector>

struct NameServer {
    std::string host;
    std::string port;
};

/// Waits for the answer to one question.
class Question : public asyncio::DatagramProtocol {
public:
    Question(std::string message, RecordType type) : message_(std::move(message)), type_(type) {}

    void connection_made(asyncio::DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const asyncio::SocketAddress&) override {
        try {
            std::optional<DnsAnswer> answer = parse_answer(data, message_, type_);
            if (answer && !answer_.done()) answer_.set_result(*answer);
        } catch (const BadMessage&) {
            // Anybody can send us rubbish with the server's address on it: the right one may still come.
        }
    }
    void error_received(std::exception_ptr error) override {
        if (!answer_.done()) answer_.set_exception(error);
    }
    asyncio::Coro<DnsAnswer> ask() {
        for (int attempt = 1; attempt <= 3; ++attempt) {
            transport_.sendto(message_);
            try {
                co_return co_await asyncio::wait_for(asyncio::shield(answer_), 1);
            } catch (const asyncio::TimeoutError&) {
            }
        }
        throw asyncio::TimeoutError("no answer");
    }
    void close() { transport_.close(); }

private:
    std::string message_;
    RecordType type_;
    asyncio::DatagramTransport transport_;
    asyncio::Future<DnsAnswer> answer_ = asyncio::get_running_loop().create_future<DnsAnswer>();
};

asyncio::Coro<DnsAnswer> ask_by_udp(NameServer server, std::string message, RecordType type) {
    auto factory = [&] { return Question(message, type); };
    asyncio::EndpointAddress there(server.host, server.port);
    // A socket for each question: its port, which the system chooses, is as hard to guess as the number in it.
    auto endpoint = co_await asyncio::create_datagram_endpoint(factory, nullptr, there);
    co_return co_await asyncio::try_finally(endpoint.protocol->ask(), [&] { endpoint.transport.close(); });
}

asyncio::Coro<DnsAnswer> ask_by_tcp(NameServer server, std::string message, RecordType type) {
    auto streams = co_await asyncio::open_connection(server.host, server.port);
    std::string size = {static_cast<char>(message.size() >> 8), static_cast<char>(message.size() & 0xFF)};
    streams.writer.write(size + message);
    std::string header = co_await streams.reader.readexactly(2);
    auto length = static_cast<unsigned char>(header[0]) << 8 | static_cast<unsigned char>(header[1]);
    std::string data = co_await streams.reader.readexactly(length);
    std::optional<DnsAnswer> answer = parse_answer(data, message, type);
    if (!answer || answer->is_truncated) throw BadMessage("it is not what was asked");
    co_return *answer;
}

asyncio::Coro<DnsAnswer> look_up(NameServer server, std::string name, RecordType type) {
    std::random_device random;
    std::string message = question(static_cast<std::uint16_t>(random()), name, type);
    DnsAnswer answer = co_await ask_by_udp(server, message, type);
    if (answer.is_truncated) answer = co_await asyncio::wait_for(ask_by_tcp(server, message, type), 5);
    co_return answer;
}

asyncio::Coro<std::string> describe(NameServer server, std::string name) {
    try {
        // Both to their ends: one that fails later than the other would be told of as an error of the program.
        auto answers = co_await asyncio::gather(asyncio::return_exceptions, look_up(server, name, RecordType::A),
                                                look_up(server, name, RecordType::AAAA));
        const DnsAnswer& v4 = std::get<0>(answers).value();
        const DnsAnswer& v6 = std::get<1>(answers).value();
        unsigned status = v4.status != 0 ? v4.status : v6.status;
        if (status == 3) co_return name + ": there is no such name";
        if (status != 0) co_return name + ": the server fails, status " + std::to_string(status);
        std::string text;
        for (const DnsAnswer* answer : {&v4, &v6}) {
            for (const std::string& address : answer->addresses) text += (text.empty() ? " " : ", ") + address;
        }
        co_return name + ":" + (text.empty() ? " it has no address" : text);
    } catch (const BadMessage& error) {
        co_return name + ": a bad message: " + error.what();
    } catch (const asyncio::TimeoutError&) {
        co_return name + ": no answer";
    } catch (const asyncio::OSError& error) {
        co_return name + ": " + error.what();
    } catch (const asyncio::EOFError&) {
        co_return name + ": the server has closed the connection";
    }
}

/// All at once; printed in their order.
asyncio::Coro<> resolve(NameServer server, std::vector<std::string> names) {
    std::vector<asyncio::Task<std::string>> tasks;
    for (const std::string& name : names) tasks.push_back(asyncio::create_task(describe(server, name)));
    for (auto& task : tasks) {
        std::string line = co_await task;
        say(line);
    }
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    if (argc < 4) {
        std::fputs("usage: resolver SERVER PORT NAME...\n", stderr);
        return 2;
    }
    return run_and_report(resolve({argv[1], argv[2]}, std::vector<std::string>(argv + 3, argv + argc)));
}
