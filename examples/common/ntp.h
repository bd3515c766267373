#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

// The packets of SNTP, RFC 4330: what a client and a server need of NTP.

/// A moment in NTP's form: seconds since 1900 and their 2^32nd parts. The seconds begin anew in 2036, so that only
/// differences mean something; those are right for 68 years.
using NtpTime = std::uint64_t;

inline NtpTime ntp_now(double offset = 0) {
    using namespace std::chrono;
    constexpr std::int64_t from_1900_to_1970 = 2'208'988'800;
    auto since_1970 = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count() +
                      static_cast<std::int64_t>(offset * 1e9);
    std::int64_t whole = since_1970 / 1'000'000'000;
    auto fraction = static_cast<std::uint64_t>(since_1970 % 1'000'000'000);
    return static_cast<NtpTime>(whole + from_1900_to_1970) << 32 | (fraction << 32) / 1'000'000'000;
}

/// In seconds.
inline double ntp_difference(NtpTime later, NtpTime earlier) {
    return static_cast<double>(static_cast<std::int64_t>(later - earlier)) / 4294967296.0;
}

struct NtpPacket {
    static constexpr std::size_t size = 48;
    enum Mode : unsigned { client = 3, server = 4 };

    unsigned leap = 0;  ///< 3: the server's clock is not set
    unsigned version = 4;
    unsigned mode = client;
    unsigned stratum = 0;  ///< 0 in an answer: the server refuses, and `reference` says why
    unsigned poll = 0;
    std::string reference = std::string(4, '\0');
    NtpTime origin = 0;    ///< what the client sent as `transmit`
    NtpTime received = 0;  ///< by the server's clock
    NtpTime transmit = 0;  ///< the same, when the answer was sent; what a client sends says nothing but comes back

    /// Nothing if it is too short to be one. What follows, extensions and signatures, is not looked at.
    static std::optional<NtpPacket> parse(std::string_view data) {
        if (data.size() < size) return std::nullopt;
        auto byte = [&](std::size_t index) { return static_cast<unsigned>(static_cast<unsigned char>(data[index])); };
        auto time = [&](std::size_t begin) {
            NtpTime value = 0;
            for (std::size_t i = begin; i < begin + 8; ++i) value = value << 8 | byte(i);
            return value;
        };
        NtpPacket packet;
        packet.leap = byte(0) >> 6;
        packet.version = byte(0) >> 3 & 7;
        packet.mode = byte(0) & 7;
        packet.stratum = byte(1);
        packet.poll = byte(2);
        packet.reference = data.substr(12, 4);
        packet.origin = time(24);
        packet.received = time(32);
        packet.transmit = time(40);
        return packet;
    }
    std::string str() const {
        std::string data(size, '\0');
        auto put_time = [&](std::size_t begin, NtpTime value) {
            for (std::size_t i = begin + 8; i-- > begin; value >>= 8) data[i] = static_cast<char>(value & 0xFF);
        };
        data[0] = static_cast<char>(leap << 6 | version << 3 | mode);
        data[1] = static_cast<char>(stratum);
        data[2] = static_cast<char>(poll);
        data[3] = static_cast<char>(-20);  // a clock of about a microsecond
        data.replace(12, 4, reference);
        if (mode == server) put_time(16, received);  // when the clock was last set: it always is
        put_time(24, origin);
        put_time(32, received);
        put_time(40, transmit);
        return data;
    }
};
