#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace asyncio::detail {

/// Memory of a loop that is touched often, for what is received and handed on at once. It is made when it is needed.
class ReceiveBuffer {
    struct Received;

public:
    static constexpr std::size_t size = 256 * 1024;

    char* memory();
    /// Copies what is in that memory into `data`. Where memory lacks `data` gets some that was put by with the buffer:
    /// the kernel has given these bytes away.
    void take(std::string& data, std::size_t length) noexcept;

    /// While what is in that memory is looked at by who may receive something else meanwhile, which then goes
    /// elsewhere.
    class Loan {
    public:
        explicit Loan(ReceiveBuffer& buffer) noexcept : buffer_(buffer), received_(std::move(buffer.received_)) {}
        ~Loan() { buffer_.received_ = std::move(received_); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;

    private:
        ReceiveBuffer& buffer_;
        std::unique_ptr<Received> received_;
    };

private:
    struct Received {
        char bytes[size];
        std::string spare;  // room for as much, when there is no memory otherwise
    };
    std::unique_ptr<Received> received_;
};

}  // namespace asyncio::detail
