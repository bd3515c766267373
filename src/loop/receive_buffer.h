#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace asyncio::detail {

/// Memory of a loop that is touched often, for what is received and handed on at once. It is made when it is needed.
class ReceiveBuffer {
public:
    static constexpr std::size_t size = 256 * 1024;

    char* memory();
    /// Copies what is in that memory into `data`. Where memory lacks `data` gets some that was put by with the buffer:
    /// the kernel has given these bytes away.
    void take(std::string& data, std::size_t length) noexcept;

private:
    struct Received {
        char bytes[size];
        std::string spare;  // room for as much, when there is no memory otherwise
    };
    std::unique_ptr<Received> received_;
};

}  // namespace asyncio::detail
