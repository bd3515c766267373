#include <asyncio/errors/exceptions.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <tuple>

#include "tls/engine_support.h"

// What a connection by TLS receives, broken in all ways: each comes to an error of its own or to nothing, and nothing
// is read that the other end has not written. ASYNCIO_FUZZ_SECONDS=600 goes on for so long.

using namespace asyncio;
using support::client_context;
using support::server_context;
using support::TlsEnds;

namespace {

using Chance = std::mt19937;

std::size_t below(Chance& chance, std::size_t limit) { return limit == 0 ? 0 : chance() % limit; }

/// One fault in some bytes.
std::string broken(Chance& chance, std::string bytes) {
    std::size_t at = below(chance, bytes.size());
    switch (below(chance, 6)) {
        case 0:
            if (!bytes.empty()) bytes[at] = static_cast<char>(chance());
            return bytes;
        case 1:
            return bytes.substr(0, at);
        case 2:
            return bytes.substr(at);
        case 3:
            return bytes.insert(at, std::string(below(chance, 40), static_cast<char>(chance())));
        case 4:
            return bytes + bytes;
        default: {
            std::string noise(below(chance, 400), '\0');
            for (char& letter : noise) letter = static_cast<char>(chance());
            return noise + bytes;
        }
    }
}

/// Reads as long as there is something; false if the connection is over.
bool read_all(const SSLObject& tls, std::string& all) {
    try {
        for (;;) {
            std::string part = tls.read(3000);
            if (part.empty()) return false;
            all += part;
        }
    } catch (const SSLWantReadError&) {
        return true;
    } catch (const SSLError&) {
        return false;
    }
}

/// A conversation in which, with this chance in a hundred, a flight of bytes is broken.
void talk(unsigned seed, const SSLContext& client, const SSLContext& server) {
    Chance chance(seed);
    std::size_t percent = below(chance, 2) == 0 ? 100 : 15;
    TlsEnds ends(client, server);
    std::string to_server, to_client, from_client, from_server;
    auto carry = [&](support::TlsEnd& from, support::TlsEnd& to) {
        std::string bytes = from.out.read();
        if (below(chance, 100) < percent) bytes = broken(chance, std::move(bytes));
        to.in.write(bytes);
        if (below(chance, 50) == 0) to.in.write_eof();
    };
    for (int round = 0; round < 12; ++round) {
        for (auto [end, sent, received] :
             {std::tuple(&ends.client, &to_server, &from_server), std::tuple(&ends.server, &to_client, &from_client)}) {
            end->step();
            if (end->failed_by) {
                ASSERT_NE(exception_cast<SSLError>(end->failed_by), nullptr) << str(end->failed_by);
            }
            if (!end->is_connected) continue;
            if (below(chance, 2) == 0) {
                std::string text(below(chance, 20'000), static_cast<char>('a' + round));
                try {
                    sent->append(text.substr(0, end->tls.write(text)));
                } catch (const SSLError&) {
                }
            }
            read_all(end->tls, *received);
        }
        ASSERT_EQ(ERR_peek_error(), 0U) << "the queue of errors is left dirty";
        try {
            carry(ends.client, ends.server);
            carry(ends.server, ends.client);
        } catch (const SSLError&) {  // after the end
        }
    }
    ASSERT_TRUE(to_server.starts_with(from_client)) << "read what nobody has written, seed " << seed;
    ASSERT_TRUE(to_client.starts_with(from_server)) << "read what nobody has written, seed " << seed;
}

TEST(SSLObject, ComesToAnErrorByWhateverItReceives) {
    SSLContext client = client_context();
    SSLContext server = server_context();
    SSLContext older = client_context();
    older.set_maximum_version(TLSVersion::TLSv1_2);
    const char* seconds = std::getenv("ASYNCIO_FUZZ_SECONDS");
    std::time_t until = std::time(nullptr) + (seconds != nullptr ? std::atoi(seconds) : 0);
    for (unsigned seed = 0; seed < 300 || std::time(nullptr) < until; ++seed) {
        SCOPED_TRACE(seed);
        talk(seed, seed % 2 == 0 ? client : older, server);
        if (HasFatalFailure()) return;
    }
}

/// Noise alone, in records that say of themselves that they are such.
TEST(SSLObject, RefusesRecordsThatAreTooLarge) {
    TlsEnds ends;
    std::string record("\x16\x03\x01\xff\xff", 5);
    ends.server.in.write(record + std::string(65535, 'x'));
    ends.server.step();
    EXPECT_EQ(ends.server_error(), "[SSL: PACKET_LENGTH_TOO_LONG] packet length too long");
    TlsEnds others;
    ASSERT_TRUE(others.shake_hands());
    others.server.in.write(std::string("\x17\x03\x03\x50\x00", 5) + std::string(0x5000, 'x'));
    try {
        others.server.tls.read();
        FAIL();
    } catch (const SSLError& error) {
        EXPECT_STREQ(error.what(), "[SSL: PACKET_LENGTH_TOO_LONG] packet length too long");
    }
}

}  // namespace
