#pragma once

#include <asyncio/net/socket.h>
#include <asyncio/process/arguments.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace asyncio {

namespace subprocess {

/// What one of a child's standard streams is: `PIPE`, `DEVNULL`, `STDOUT`, an open descriptor or `Socket`, or None, its
/// parent's. A descriptor stays the caller's, who may close it as soon as the child has begun. A socket begins to
/// block, as a child expects it, and the caller can only close it.
class Stream {
public:
    enum class Kind : std::uint8_t { by_default, parent_s, pipe, devnull, standard_output, descriptor, socket };

    constexpr Stream() noexcept = default;
    constexpr Stream(decltype(nullptr)) noexcept : kind_(Kind::parent_s) {}
    constexpr Stream(std::nullopt_t) noexcept : kind_(Kind::parent_s) {}
    template <std::same_as<int> Descriptor>
    constexpr Stream(Descriptor descriptor) noexcept : kind_(Kind::descriptor), descriptor_(descriptor) {}
    Stream(const Socket& socket) : kind_(Kind::socket), descriptor_(socket.fileno()) {}
    constexpr explicit Stream(Kind kind) noexcept : kind_(kind) {}

    constexpr Kind kind() const noexcept { return kind_; }
    /// That of a descriptor or a Socket; -1 for others.
    constexpr int descriptor() const noexcept { return descriptor_; }

private:
    Kind kind_ = Kind::by_default;
    int descriptor_ = -1;
};

/// A pipe to us. Python: asyncio.subprocess.PIPE.
inline constexpr Stream PIPE{Stream::Kind::pipe};
/// Nothing is read there, and what is written is dropped. Python: asyncio.subprocess.DEVNULL.
inline constexpr Stream DEVNULL{Stream::Kind::devnull};
/// Only for `stderr`: goes where `stdout` goes. Python: asyncio.subprocess.STDOUT.
inline constexpr Stream STDOUT{Stream::Kind::standard_output};

/// The variables that a child will have, and no others: a view of a map or another container of pairs of strings, or
/// None, those of this process.
class Environment {
public:
    constexpr Environment() noexcept = default;
    constexpr Environment(decltype(nullptr)) noexcept {}
    constexpr Environment(std::nullopt_t) noexcept {}
    template <class Range>
    requires requires(const Range& range) {
        { range.begin()->first } -> std::convertible_to<std::string_view>;
        { range.begin()->second } -> std::convertible_to<std::string_view>;
        range.end();
    }
    Environment(const Range& variables) noexcept
        : variables_(&variables), visit_([](const void* all, Sink& sink) {
              for (const auto& [name, value] : *static_cast<const Range*>(all)) sink.take(name, value);
          }) {}

    /// For the library.
    class Sink {
    public:
        virtual void take(std::string_view name, std::string_view value) = 0;

    protected:
        ~Sink() = default;
    };
    /// For the library.
    constexpr bool has_value() const noexcept { return visit_ != nullptr; }
    /// For the library.
    void visit(Sink& sink) const { visit_(variables_, sink); }

private:
    const void* variables_ = nullptr;
    void (*visit_)(const void* variables, Sink& sink) = nullptr;
};

/// A user or a group, by name or by number.
class Account {
public:
    constexpr Account() noexcept = default;
    constexpr Account(decltype(nullptr)) noexcept {}
    constexpr Account(std::nullopt_t) noexcept {}
    constexpr Account(std::string_view name) noexcept : name_(name), kind_(Kind::name) {}
    constexpr Account(const char* name) : name_(name), kind_(Kind::name) {}
    Account(const std::string& name) noexcept : name_(name), kind_(Kind::name) {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) constexpr Account(Number number) noexcept
        : number_(static_cast<std::int64_t>(number)), kind_(Kind::number) {}

    /// Whether it is not None.
    constexpr bool has_value() const noexcept { return kind_ != Kind::none; }
    /// Whether it is given by its number.
    constexpr bool is_number() const noexcept { return kind_ == Kind::number; }
    /// The number; 0 where it is none.
    constexpr std::int64_t number() const noexcept { return number_; }
    /// The name; empty where it is none.
    constexpr std::string_view name() const noexcept { return name_; }

private:
    enum class Kind : std::uint8_t { none, name, number };
    std::string_view name_;
    std::int64_t number_ = 0;
    Kind kind_ = Kind::none;
};

}  // namespace subprocess

/// The keyword arguments of `create_subprocess_exec()` and its like; those of Python's subprocess.Popen. All views are
/// read before the call returns.
struct SubprocessOptions {
    // None by default, but PIPE for `subprocess_exec()` and `subprocess_shell()`.
    subprocess::Stream stdin = {};
    subprocess::Stream stdout = {};
    subprocess::Stream stderr = {};
    std::int64_t limit = 65536;                       ///< of the streams, see `open_connection()`
    std::optional<std::string_view> cwd = {};         ///< the folder in which it begins
    subprocess::Environment env = {};                 ///< its variables
    std::optional<std::string_view> executable = {};  ///< the program, if not the first of the arguments, or the shell
    bool start_new_session = false;                   ///< setsid()
    std::optional<int> process_group = {};            ///< setpgid(): 0 for one of its own
    std::span<const int> pass_fds = {};               ///< descriptors that it keeps, under their numbers
    bool close_fds = true;                            ///< it keeps no others but the three streams
    bool restore_signals = true;                      ///< SIGPIPE and SIGXFSZ end it, also where they are ignored here
    std::optional<unsigned> umask = {};
    subprocess::Account user = {};
    subprocess::Account group = {};
    std::optional<std::span<const unsigned>> extra_groups = {};
    std::optional<int> pipesize = {};  ///< of its pipes, in bytes
};

}  // namespace asyncio
