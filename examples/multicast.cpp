// Joins a multicast group, says words to it and prints what its members say, until Ctrl-C or SIGTERM.
//
//     multicast INTERFACE GROUP PORT [WORD...]      the interface's own address: multicast 127.0.0.1 239.1.2.3 9999
//     hello
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdio>
#include <string>
#include <vector>

class Member : public asyncio::DatagramProtocol {
public:
    void datagram_received(std::string_view data, const asyncio::SocketAddress& address) override {
        say(address.host() + ":" + std::to_string(address.port()) + " says " + harmless(std::string(data)));
    }
    void error_received(std::exception_ptr error) override { say("error: " + asyncio::str(error)); }
};

struct Group {
    std::string interface;
    std::string address;
    int port = 0;

    /// Throws ValueError if they are none.
    ip_mreqn membership() const {
        ip_mreqn both = {};
        bool are_addresses = ::inet_pton(AF_INET, interface.c_str(), &both.imr_address) == 1 &&
                             ::inet_pton(AF_INET, address.c_str(), &both.imr_multiaddr) == 1;
        if (!are_addresses || !IN_MULTICAST(ntohl(both.imr_multiaddr.s_addr))) {
            throw asyncio::ValueError("an IPv4 address and a group, 224.0.0.0 to 239.255.255.255, were expected");
        }
        return both;
    }
};

asyncio::Coro<> take_part(Group group, std::vector<std::string> words) {
    ip_mreqn membership = group.membership();
    asyncio::DatagramEndpointOptions options;
    // Bound to the group and not to any address: what is sent to this port otherwise is not for us.
    options.local_addr = {group.address, group.port};
    options.reuse_port = true;  // others on this machine are members, too
    auto endpoint = co_await asyncio::create_datagram_endpoint([] { return Member(); }, options);
    asyncio::SocketAddress address = endpoint.transport.get_extra_info("sockname");
    asyncio::TransportSocket socket = endpoint.transport.get_extra_info("socket");
    asyncio::BytesLike option(&membership, sizeof membership);
    socket.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, option);
    socket.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, option);
    socket.setsockopt(IPPROTO_IP, IP_MULTICAST_ALL, 0);  // nor what is for other groups that this machine is in
    socket.setsockopt(IPPROTO_IP, IP_MULTICAST_TTL, 1);  // no further than this network
    for (const std::string& word : words) endpoint.transport.sendto(word, address);
    co_await wait_for_a_signal("serving on " + repr(address));
    endpoint.transport.close();  // that leaves the group
    say("closed");
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto port = number(argc, argv, 3, -1, 0, 65535);
    if (argc < 4 || !port) {
        std::fputs("usage: multicast INTERFACE GROUP PORT [WORD...]\n", stderr);
        return 2;
    }
    return run_and_report(take_part({argv[1], argv[2], static_cast<int>(*port)}, {argv + 4, argv + argc}));
}
