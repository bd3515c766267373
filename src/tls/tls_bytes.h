#pragma once

#include <asyncio/detail/counted.h>

#include <openssl/bio.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace asyncio::detail {

/// Bytes in one direction, between OpenSSL and whoever carries them.
class TlsBytes final : public Counted {
public:
    std::size_t pending() const noexcept { return kept_.size() - begin_ + lent_.size(); }
    bool eof() const noexcept { return ended_ && pending() == 0; }
    bool has_ended() const noexcept { return ended_; }
    void end() noexcept { ended_ = true; }
    void append(std::string_view bytes);
    /// Takes up to `size` of them.
    std::size_t take(char* to, std::size_t size) noexcept;
    std::string take_all(std::size_t most);
    void drop_all() noexcept;
    void make_room(std::size_t size) { kept_.reserve(kept_.size() + size); }
    /// Room that the thread keeps, if it has none itself.
    void borrow_room() noexcept;
    /// All that was appended and not taken.
    std::string give_all();

    /// While it lives the bytes are read from where they are; then what is left is kept.
    class Lent {
    public:
        Lent(TlsBytes& queue, std::string_view bytes) : queue_(queue) {
            keep_rest();  // of who calls us while he reads
            queue.lent_ = bytes;
        }
        ~Lent() { queue_.lent_ = {}; }
        Lent(const Lent&) = delete;
        Lent& operator=(const Lent&) = delete;
        void keep_rest() {
            std::string_view rest = queue_.lent_;
            queue_.lent_ = {};
            queue_.append(rest);
        }

    private:
        TlsBytes& queue_;
    };

private:
    std::string kept_;
    std::size_t begin_ = 0;
    std::string_view lent_;  // behind them
    bool ended_ = false;
};

/// The bytes of a connection, as OpenSSL sees them.
struct TlsPipe {
    TlsBytes* incoming = nullptr;
    TlsBytes* outgoing = nullptr;
    bool lacks_memory = false;
};
BIO* make_bio(TlsPipe& pipe);

}  // namespace asyncio::detail
