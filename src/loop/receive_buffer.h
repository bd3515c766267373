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

    // Memory for much that has come and is read in parts, kept from one time to the next: the C library would give it
    // back to the system and ask for it again, several times a MiB.
    static constexpr std::size_t least_spare = 16 * 1024;  // less stays with who has it
    static constexpr std::size_t most_spare = 512 * 1024;
    /// An empty string with room for as much as is wanted, and for no more than four times as many; or one without
    /// room.
    std::string take_spare(std::size_t wanted) noexcept;
    /// Keeps the larger of this and what it has.
    void keep_spare(std::string&& buffer) noexcept;

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
    std::string spare_;
};

}  // namespace asyncio::detail
