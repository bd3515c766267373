#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// A string of any kind, or a path.
template <class T>
concept Word = std::convertible_to<const T&, std::string_view> || requires(const T& path) {
    { path.native() } -> std::convertible_to<std::string_view>;
};

/// Several in one container.
template <class Range>
concept WordRange = requires(const Range& range) {
    range.begin();
    range.end();
    requires Word<std::remove_cvref_t<decltype(*range.begin())>>;
}
&&!Word<Range>;

}  // namespace detail

/// The arguments of a program, or a program and its arguments: `{"log", "--oneline"}`, or a container of strings.
/// Keeps copies. Throws ValueError for a string with a zero byte in it, which no program can be given.
/// Python: the `*args` of asyncio.create_subprocess_exec.
class Arguments {
public:
    Arguments() noexcept = default;
    template <class... Words>
    requires(sizeof...(Words) > 0 && (detail::Word<Words> && ...)) Arguments(const Words&... words) {
        (add(words), ...);
    }
    template <detail::WordRange Range>
    Arguments(const Range& words) {
        for (const auto& word : words) add(word);
    }

    /// One more, at the end.
    template <detail::Word T>
    Arguments& add(const T& word) {
        if constexpr (std::convertible_to<const T&, std::string_view>) {
            add_text(word);
        } else {
            add_text(word.native());
        }
        return *this;
    }
    /// All of those, at the end.
    void append(const Arguments& more) {
        text_ += more.text_;
        count_ += more.count_;
    }
    /// Whether there are none.
    bool empty() const noexcept { return count_ == 0; }
    /// How many there are.
    std::size_t size() const noexcept { return count_; }

    /// For the library: calls back with a pointer to each, which has a zero byte behind it.
    template <class Callback>
    void for_each(Callback&& callback) const {
        for (std::size_t at = 0; at < text_.size(); at = text_.find('\0', at) + 1) callback(text_.data() + at);
    }

private:
    void add_text(std::string_view word);
    std::string text_;  // each with a zero byte behind it
    std::size_t count_ = 0;
};

/// A program and its arguments: `Command("sort", "-u")`.
using Command = Arguments;

}  // namespace asyncio
