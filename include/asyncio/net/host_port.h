#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/detail/slot.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace asyncio {

/// A host's name or number, or None: a view of the caller's string. Python: the `host` argument.
class Host {
public:
    constexpr Host() noexcept = default;
    constexpr Host(decltype(nullptr)) noexcept {}
    constexpr Host(std::nullopt_t) noexcept {}
    constexpr Host(const char* name) : name_(name), has_value_(true) {}
    constexpr Host(std::string_view name) noexcept : name_(name), has_value_(true) {}
    Host(const std::string& name) noexcept : name_(name), has_value_(true) {}

    /// Whether it is not None.
    constexpr bool has_value() const noexcept { return has_value_; }
    /// As it was given; empty for None.
    constexpr std::string_view name() const noexcept { return name_; }
    /// The same as a string of its own.
    std::string str() const { return std::string(name_); }

private:
    std::string_view name_;
    bool has_value_ = false;
};

/// A port's number or the name of its service, `"http"`, or None: a view of the caller's string. Python: the `port`
/// argument.
class Port {
public:
    constexpr Port() noexcept = default;
    constexpr Port(decltype(nullptr)) noexcept {}
    constexpr Port(std::nullopt_t) noexcept {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) constexpr Port(Number number) noexcept
        : number_(detail::saturate<int>(number)), kind_(Kind::number) {}
    constexpr Port(const char* service) : service_(service), kind_(Kind::service) {}
    constexpr Port(std::string_view service) noexcept : service_(service), kind_(Kind::service) {}
    Port(const std::string& service) noexcept : service_(service), kind_(Kind::service) {}

    /// Whether it is not None.
    constexpr bool has_value() const noexcept { return kind_ != Kind::none; }
    /// Whether it is given by its number, not by a service's name.
    constexpr bool is_number() const noexcept { return kind_ == Kind::number; }
    /// The number; 0 where it is none.
    constexpr int number() const noexcept { return number_; }
    /// The service's name; empty where it is none.
    constexpr std::string_view service() const noexcept { return service_; }

private:
    enum class Kind : unsigned char { none, number, service };
    std::string_view service_;
    int number_ = 0;
    Kind kind_ = Kind::none;
};

/// A host and a port, or None: a view of the caller's strings, as those are, to be given to a call and not to be kept.
class HostPort {
public:
    constexpr HostPort() noexcept = default;
    constexpr HostPort(Host the_host, Port the_port) noexcept : host(the_host), port(the_port), has_value_(true) {}
    constexpr explicit operator bool() const noexcept { return has_value_; }

    Host host;
    Port port;

private:
    bool has_value_ = false;
};

namespace detail {

template <>
inline constexpr bool is_argument<Host> = true;
template <>
inline constexpr bool is_argument<Port> = true;
template <>
inline constexpr bool is_argument<HostPort> = true;

/// A Host that keeps its string.
class OwnedHost {
public:
    OwnedHost() noexcept = default;
    explicit OwnedHost(Host host) : name_(host.name()), has_value_(host.has_value()) {}
    Host get() const noexcept { return has_value_ ? Host(name_) : Host(); }

private:
    std::string name_;
    bool has_value_ = false;
};

/// Several hosts.
class OwnedHosts {
public:
    OwnedHosts() noexcept;
    explicit OwnedHosts(Host host);
    OwnedHosts(OwnedHosts&& other) noexcept;
    ~OwnedHosts();
    void add(Host host);
    std::vector<OwnedHost> take() noexcept;

private:
    std::vector<OwnedHost> all_;
};

/// A Port that keeps its string.
class OwnedPort {
public:
    OwnedPort() noexcept = default;
    explicit OwnedPort(Port port)
        : service_(port.service()),
          number_(port.number()),
          has_value_(port.has_value()),
          is_number_(port.is_number()) {}
    Port get() const noexcept {
        if (!has_value_) return {};
        return is_number_ ? Port(number_) : Port(service_);
    }

private:
    std::string service_;
    int number_ = 0;
    bool has_value_ = false;
    bool is_number_ = false;
};

/// Names or numbers of several hosts in one container.
template <class Range>
concept HostRange = requires(const Range& range) {
    { *range.begin() } -> std::convertible_to<Host>;
    range.end();
}
&&!std::convertible_to<Range, Host>;

}  // namespace detail
}  // namespace asyncio
