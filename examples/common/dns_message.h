#pragma once

#include <arpa/inet.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The messages of the DNS, RFC 1035: a question, and the addresses in its answer. What a server sends is not to be
// trusted: all that does not fit throws BadMessage, and no name leads in a circle.

struct BadMessage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class RecordType : std::uint16_t { A = 1, CNAME = 5, AAAA = 28 };

/// Lower case, as names are compared.
inline std::string lower(std::string text) {
    for (char& each : text) {
        if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
    }
    return text;
}

/// Throws BadMessage if it is no name.
inline std::string question(std::uint16_t id, std::string_view name, RecordType type) {
    auto number = [](unsigned value) {
        return std::string{static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
    };
    std::string message = number(id) + number(0x0100) + number(1) + number(0) + number(0) + number(0);
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty() || name.size() > 253) throw BadMessage("it has no length of a name");
    while (!name.empty()) {
        std::string_view label = name.substr(0, name.find('.'));
        if (label.empty() || label.size() > 63) throw BadMessage("a part of it is empty or too long");
        message += static_cast<char>(label.size());
        message += label;
        name.remove_prefix(label.size());
        if (!name.empty()) name.remove_prefix(1);
        if (name.empty()) break;
    }
    return message + '\0' + number(static_cast<unsigned>(type)) + number(1);
}

struct DnsAnswer {
    bool is_truncated = false;
    unsigned status = 0;  ///< 0: well, 2: the server failed, 3: there is no such name, 5: refused
    std::vector<std::string> addresses;
};

class DnsReader {
public:
    explicit DnsReader(std::string_view message) : message_(message) {}

    unsigned byte() {
        if (at_ >= message_.size()) throw BadMessage("it is too short");
        return static_cast<unsigned char>(message_[at_++]);
    }
    unsigned number() {
        unsigned high = byte();
        return high << 8 | byte();
    }
    std::string_view bytes(std::size_t size) {
        if (message_.size() - at_ < size) throw BadMessage("it is too short");
        at_ += size;
        return message_.substr(at_ - size, size);
    }
    /// In lower case, with dots. A part may be a pointer to what came before: only ever further back.
    std::string name() {
        std::string name;
        std::optional<std::size_t> behind;
        std::size_t began = at_;
        for (;;) {
            unsigned length = byte();
            if (length == 0) break;
            if (length >= 0xC0) {
                std::size_t to = (length & 0x3F) << 8 | byte();
                if (!behind) behind = at_;
                if (to >= began) throw BadMessage("a name points forward");
                began = at_ = to;
                continue;
            }
            if (length > 63) throw BadMessage("it is no name");
            name += bytes(length);
            name += '.';
            if (name.size() > 254) throw BadMessage("a name is too long");
        }
        if (behind) at_ = *behind;
        return lower(name);
    }

private:
    std::string_view message_;
    std::size_t at_ = 0;
};

/// What it answers to this question. Nothing if it is not the answer to it.
inline std::optional<DnsAnswer> parse_answer(std::string_view message, std::string_view asked, RecordType type) {
    constexpr unsigned is_answer = 0x8000, is_truncated = 0x0200;
    DnsReader expected(asked), reader(message);
    unsigned id = expected.number();
    expected.bytes(10);
    std::string name = expected.name();
    if (reader.number() != id) return std::nullopt;
    unsigned flags = reader.number();
    unsigned questions = reader.number();
    unsigned answers = reader.number();
    reader.bytes(4);
    bool is_ours = (flags & is_answer) != 0 && questions == 1 && reader.name() == name &&
                   reader.number() == static_cast<unsigned>(type) && reader.number() == 1;
    if (!is_ours) return std::nullopt;
    DnsAnswer answer;
    answer.is_truncated = (flags & is_truncated) != 0;
    answer.status = flags & 0xF;
    if (answer.is_truncated) return answer;  // what there is of it is not looked at
    for (; answers > 0; --answers) {
        std::string owner = reader.name();
        unsigned record_type = reader.number();
        unsigned record_class = reader.number();
        reader.bytes(4);  // for how long it may be kept
        unsigned size = reader.number();
        if (record_type == static_cast<unsigned>(RecordType::CNAME) && record_class == 1 && owner == name) {
            name = reader.name();  // it is another's name: what follows is of that one
            continue;
        }
        std::string_view data = reader.bytes(size);
        bool is_address = record_type == static_cast<unsigned>(type) && record_class == 1 && owner == name;
        if (!is_address) continue;
        bool is_ipv6 = type == RecordType::AAAA;
        if (data.size() != (is_ipv6 ? 16U : 4U)) throw BadMessage("an address has another size");
        char text[INET6_ADDRSTRLEN];
        answer.addresses.emplace_back(::inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, data.data(), text, sizeof text));
    }
    return answer;
}
