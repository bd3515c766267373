// Files by TFTP (RFC 1350): a server of datagrams that keeps a transfer for each address, and sends again what is not
// acknowledged; a network that loses some; and a client that asks for several files at once.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

enum : int { READ = 1, DATA = 3, ACK = 4, ERROR = 5 };
constexpr std::size_t size_of_block = 512;
constexpr Seconds patience = 20ms;
constexpr int most_tries = 5;

/// struct.pack("!HH", …) and struct.unpack().
std::string pack(std::initializer_list<std::size_t> numbers) {
    std::string text;
    for (std::size_t number : numbers) {
        text += static_cast<char>(number >> 8 & 255);
        text += static_cast<char>(number & 255);
    }
    return text;
}
std::size_t unpack(std::string_view data, std::size_t at) {
    if (data.size() < at + 2) throw ValueError("this datagram is too short");
    return static_cast<std::size_t>(static_cast<unsigned char>(data[at]) << 8 |
                                    static_cast<unsigned char>(data[at + 1]));
}

using Files = std::map<std::string, std::string, std::less<>>;
using Blocks = std::set<std::pair<std::string, std::size_t>>;

class TftpServer : public DatagramProtocol {
public:
    TftpServer(const Files& files, const Blocks& losses) : files_(files), losses_(losses) {}

    void connection_made(DatagramTransport transport) override { transport_ = transport; }
    void datagram_received(std::string_view data, const SocketAddress& address) override {
        std::size_t opcode = unpack(data, 0);
        if (opcode == READ) {
            std::string_view name = data.substr(2, data.find('\0', 2) - 2);
            auto file = files_.find(name);
            if (file != files_.end()) {
                transfers.try_emplace(address, *this, address, *file).first->second.send();
            } else {
                transport_.sendto(pack({ERROR, 1}) + "no such file" + '\0', address);
            }
        } else if (auto transfer = transfers.find(address); opcode == ACK && transfer != transfers.end()) {
            transfer->second.acknowledged(unpack(data, 2));
        }
    }

private:
    class Transfer {
    public:
        Transfer(TftpServer& server, const SocketAddress& address, const Files::value_type& file)
            : server_(server), address_(address), name_(file.first), text_(file.second) {}
        ~Transfer() { timer_.cancel(); }

        void send() {
            if (++tries_ > most_tries) {
                std::printf("nobody acknowledges %s\n", name_.c_str());
                return end();
            }
            timer_ = get_running_loop().call_later(patience, &Transfer::send, this);
            if (std::pair block(name_, number_); tries_ == 1 && server_.losses_.contains(block)) {
                server_.lost.push_back(block);
            } else {
                server_.transport_.sendto(
                    pack({DATA, number_}) + text_.substr((number_ - 1) * size_of_block, size_of_block), address_);
            }
        }
        void acknowledged(std::size_t number) {
            if (number != number_) return;
            timer_.cancel();
            if (text_.size() < number_ * size_of_block) return end();
            ++number_;
            tries_ = 0;
            send();
        }

    private:
        void end() { server_.transfers.erase(SocketAddress(address_)); }  // which ends this

        TftpServer& server_;
        SocketAddress address_;
        const std::string &name_, &text_;
        std::size_t number_ = 1;
        int tries_ = 0;
        TimerHandle timer_;
    };
    const Files& files_;
    const Blocks& losses_;
    DatagramTransport transport_;

public:
    std::unordered_map<SocketAddress, Transfer> transfers;
    std::vector<Blocks::value_type> lost;
};

class Client : public DatagramProtocol {
public:
    void datagram_received(std::string_view data, const SocketAddress&) override {
        packets.put_nowait(std::string(data));
    }
    void error_received(std::exception_ptr received) override {
        error = received;
        packets.shutdown();
    }
    Queue<std::string> packets;
    std::exception_ptr error;
};

Coro<std::string> receive(DatagramTransport transport, Client& client, std::string name) {
    transport.sendto(pack({READ}) + name + '\0' + "octet" + '\0');
    std::string text;
    try {
        for (bool last = false; !last;) {
            std::string packet = co_await wait_for(client.packets.get(), 2s);
            std::size_t number = unpack(packet, 2);
            if (unpack(packet, 0) == ERROR) throw FileNotFoundError(packet.substr(4, packet.size() - 5));
            if (number == text.size() / size_of_block + 1) {
                text += packet.substr(4);
                last = packet.size() < 4 + size_of_block;
            }
            transport.sendto(pack({ACK, number}));
        }
    } catch (const QueueShutDown&) {
        std::rethrow_exception(client.error);
    }
    co_return text;
}

Coro<std::string> fetch(SocketAddress address, std::string name) {
    auto endpoint = co_await create_datagram_endpoint([] { return make_protocol<Client>(); }, nullptr, address);
    co_return co_await try_finally(receive(endpoint.transport, *endpoint.protocol, name),
                                   [&] { endpoint.transport.close(); });
}

Coro<> serve_and_fetch(const Files& files, const Blocks& losses) {
    auto factory = [&] { return make_protocol<TftpServer>(files, losses); };
    auto [transport, server] = co_await create_datagram_endpoint(factory, HostPort("127.0.0.1", 0));
    SocketAddress address = transport.get_extra_info("sockname");
    const std::vector<std::string> names = {"short", "even", "long", "missing"};
    std::vector<Coro<std::string>> fetches;
    for (const std::string& name : names) fetches.push_back(fetch(address, name));
    auto results = co_await gather(return_exceptions, std::move(fetches));
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::string what =
            results[i] ? std::to_string(results[i]->size()) + " bytes, " + repr(*results[i] == files.at(names[i]))
                       : repr(results[i].exception());
        std::printf("%s -> %s\n", names[i].c_str(), what.c_str());
    }
    std::sort(server->lost.begin(), server->lost.end());
    std::printf("lost: %s\n", repr(server->lost).c_str());
    auto deaf = co_await create_datagram_endpoint([] { return DatagramProtocol(); }, nullptr, address);
    deaf.transport.sendto(pack({READ}) + "silent" + '\0' + "octet" + '\0');
    co_await sleep(patience * (most_tries + 2));
    deaf.transport.close();
    std::printf("transfers: %zu\n", server->transfers.size());
    transport.close();
    co_await sleep(0);
    try {
        co_await fetch(address, "short");
    } catch (const ConnectionRefusedError& error) {
        std::puts(error.what());
    }
}

int main() {
    std::string digits;
    for (int i = 0; i < 200; ++i) digits += "0123456789";
    const Files files = {
        {"short", "hello"}, {"even", std::string(2 * size_of_block, '\0')}, {"long", digits}, {"silent", "?"}};
    const Blocks losses = {{"long", 1}, {"long", 3}, {"even", 2}};
    return run_main(serve_and_fetch(files, losses));
}
