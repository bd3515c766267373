// libFuzzer over the bytes that a connection by TLS receives: ./dev fuzz [SECONDS]
#include <cstddef>
#include <cstdint>

#include "tls/tls_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    support::try_tls_input({data, size});
    return 0;
}
