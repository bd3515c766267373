#include "tls/tls_input.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "net/net_support.h"

// What `./dev fuzz` looks for by libFuzzer, for a second and always the same.

namespace {

class TlsInputTest : public support::NetTest {};

TEST_F(TlsInputTest, OfAnyKindComesToAnEnd) {
    std::mt19937 chance(19);
    for (int i = 0; i < 300; ++i) {
        std::vector<std::uint8_t> bytes(chance() % 200);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
        SCOPED_TRACE(i);
        support::try_tls_input(bytes);
    }
}

}  // namespace
