#include <asyncio/net/socket_address.h>

#include <asyncio/errors/exceptions.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <map>
#include <string>
#include <unordered_map>

#include "support/run_test.h"

using namespace asyncio;
using support::outcome;

namespace {

TEST(SocketAddress, IsPrintedAsPythonPrintsIt) {
    EXPECT_EQ(repr(SocketAddress("127.0.0.1", 80)), "('127.0.0.1', 80)");
    EXPECT_EQ(repr(SocketAddress("::1", 80)), "('::1', 80, 0, 0)");
    EXPECT_EQ(repr(SocketAddress("fe80::1", 1, 5, 2)), "('fe80::1', 1, 5, 2)");
    EXPECT_EQ(repr(SocketAddress::unix_path("/run/it's.sock")), "\"/run/it's.sock\"");
    EXPECT_EQ(repr(SocketAddress::unix_path(std::string_view("\0abc\n\xff", 6))), "b'\\x00abc\\n\\xff'");
    EXPECT_EQ(repr(SocketAddress::unix_path("")), "''");
    EXPECT_EQ(repr(SocketAddress()), "None");
}

TEST(SocketAddress, FamiliesAndKindsArePrintedAsPythonPrintsThem) {
    EXPECT_EQ(repr(AddressFamily::UNSPEC), "<AddressFamily.AF_UNSPEC: 0>");
    EXPECT_EQ(repr(AddressFamily::UNIX), "<AddressFamily.AF_UNIX: 1>");
    EXPECT_EQ(repr(AddressFamily::INET), "<AddressFamily.AF_INET: 2>");
    EXPECT_EQ(repr(AddressFamily::INET6), "<AddressFamily.AF_INET6: 10>");
    EXPECT_EQ(repr(static_cast<AddressFamily>(99)), "99");
    EXPECT_EQ(repr(SocketKind::STREAM), "<SocketKind.SOCK_STREAM: 1>");
    EXPECT_EQ(repr(SocketKind::DGRAM), "<SocketKind.SOCK_DGRAM: 2>");
    EXPECT_EQ(repr(SocketKind::RAW), "<SocketKind.SOCK_RAW: 3>");
    EXPECT_EQ(repr(SocketKind::SEQPACKET), "<SocketKind.SOCK_SEQPACKET: 5>");
    EXPECT_EQ(repr(SocketKind::ANY), "0");
}

TEST(SocketAddress, TellsItsParts) {
    SocketAddress v4("192.0.2.1", 65535);
    EXPECT_EQ(v4.family(), AddressFamily::INET);
    EXPECT_EQ(v4.host(), "192.0.2.1");
    EXPECT_EQ(v4.port(), 65535);
    EXPECT_EQ(v4.path(), "");
    SocketAddress v6("2001:db8::1", 443, 7, 3);
    EXPECT_EQ(v6.family(), AddressFamily::INET6);
    EXPECT_EQ(v6.host(), "2001:db8::1");
    EXPECT_EQ(v6.flowinfo(), 7u);
    EXPECT_EQ(v6.scope_id(), 3u);
    SocketAddress path = SocketAddress::unix_path("/a");
    EXPECT_EQ(path.family(), AddressFamily::UNIX);
    EXPECT_EQ(path.path(), "/a");
    EXPECT_EQ(path.host(), "");
    EXPECT_EQ(path.port(), 0);
    EXPECT_EQ(SocketAddress::unix_path(std::string_view("\0x", 2)).path(), std::string("\0x", 2));
    EXPECT_FALSE(SocketAddress());
    EXPECT_TRUE(path);
}

TEST(SocketAddress, IsAValueThatCanBeComparedAndComesFromTheSystem) {
    SocketAddress address("127.0.0.1", 80);
    EXPECT_EQ(address, SocketAddress("127.0.0.1", 80));
    EXPECT_NE(address, SocketAddress("127.0.0.1", 81));
    EXPECT_NE(address, SocketAddress("::1", 80));
    EXPECT_EQ(SocketAddress::from_native(address.native(), address.native_size()), address);
    sockaddr_storage large = {};
    EXPECT_EQ(outcome([&] { return SocketAddress::from_native(&large, sizeof large); }),
              "ValueError('this address is too large')");
}

TEST(SocketAddress, NamesWildPortsAndLongPathsAreRefused) {
    EXPECT_EQ(outcome([] { return SocketAddress("localhost", 80); }),
              "ValueError(\"'localhost' is not a numeric address; names are for getaddrinfo()\")");
    EXPECT_THROW(SocketAddress("127.0.0.1 ", 80), ValueError);
    EXPECT_THROW(SocketAddress(std::string_view("127.0.0.1\0x", 11), 80), ValueError);
    EXPECT_EQ(outcome([] { return SocketAddress("::1", 65536); }), "ValueError('port must be 0-65535, not 65536.')");
    EXPECT_EQ(outcome([] { return SocketAddress("::1", -1); }), "ValueError('port must be 0-65535, not -1.')");
    std::string longest(sizeof(sockaddr_un::sun_path) - 1, 'x');
    EXPECT_EQ(SocketAddress::unix_path(longest).path(), longest);
    EXPECT_EQ(outcome([&] { return SocketAddress::unix_path(longest + "x"); }), "OSError('AF_UNIX path too long')");
    std::string abstract = std::string(1, '\0') + longest;
    EXPECT_EQ(SocketAddress::unix_path(abstract).path(), abstract);
    EXPECT_EQ(outcome([&] { return SocketAddress::unix_path(abstract + "x"); }), "OSError('AF_UNIX path too long')");
}

TEST(SocketAddress, MayBeAKey) {
    std::map<SocketAddress, int> map;
    std::unordered_map<SocketAddress, int> hashed;
    for (int round = 0; round < 2; ++round) {
        for (SocketAddress address :
             {SocketAddress("127.0.0.1", 80), SocketAddress("127.0.0.1", 81), SocketAddress(), SocketAddress("::1", 80),
              SocketAddress::unix_path("/run/a"), SocketAddress::unix_path("/run/ab")}) {
            ++map[address];
            ++hashed[address];
        }
    }
    EXPECT_EQ(map.size(), 6u);
    EXPECT_EQ(hashed.size(), 6u);
    EXPECT_EQ(map[SocketAddress("127.0.0.1", 81)], 2);
    EXPECT_EQ(hashed[SocketAddress("::1", 80)], 2);
}

TEST(SocketAddress, AZeroByteInsideAPathIsRefusedAndInAnAbstractNameIsAByteAsOthers) {
    std::string path("/tmp/a\0b", 8);
    EXPECT_EQ(outcome([&] { return SocketAddress::unix_path(path); }), "ValueError('embedded null character in path')");
    std::string abstract("\0a\0b", 4);
    EXPECT_EQ(SocketAddress::unix_path(abstract).path(), abstract);
    EXPECT_EQ(repr(SocketAddress::unix_path(abstract)), "b'\\x00a\\x00b'");  // CPython: the same
}

}  // namespace
