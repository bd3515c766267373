#pragma once

#include <asyncio/detail/count.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/reader_state.h>
#include <asyncio/net/stream_errors.h>
#include <asyncio/net/waiter_call.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The keyword arguments of a `StreamReader` of one's own.
struct StreamReaderOptions {
    std::int64_t limit = 65536;  ///< see `open_connection()`
};

namespace detail {

class [[nodiscard]] [[gnu::warn_unused]] ReadSomeWaiter final : public ReadWaiter {
public:
    ReadSomeWaiter(Ref<ReaderState> reader, std::ptrdiff_t most) noexcept;
    std::string await_resume();

private:
    bool is_satisfied() override;
    std::ptrdiff_t most_;
};

class [[nodiscard]] [[gnu::warn_unused]] ReadIntoWaiter final : public ReadWaiter {
public:
    ReadIntoWaiter(Ref<ReaderState> reader, WritableBytes buffer) noexcept;
    std::size_t await_resume();

private:
    bool is_satisfied() override;
    WritableBytes room() const noexcept override { return buffer_; }
    void note_filled(std::size_t size) noexcept override { buffer_ = {buffer_.data(), size}; }
    WritableBytes buffer_;
};

class [[nodiscard]] [[gnu::warn_unused]] ReadExactlyWaiter final : public ReadWaiter {
public:
    ReadExactlyWaiter(Ref<ReaderState> reader, std::ptrdiff_t size) noexcept;
    bool await_ready();
    std::string await_resume();

private:
    bool is_satisfied() override;
    std::ptrdiff_t size_;
};

/// What a `readuntil()` looks for.
class Separators {
public:
    Separators() noexcept;
    explicit Separators(std::string_view one);
    template <class... More>
    Separators(std::string_view first, More... more) : Separators(first) {
        (add(std::string_view(more)), ...);
    }
    Separators(Separators&& other) noexcept;
    Separators& operator=(Separators&&) = delete;
    ~Separators();
    void add(std::string_view one);
    std::size_t count() const noexcept;
    std::string_view operator[](std::size_t index) const noexcept;
    std::size_t shortest() const noexcept;
    std::size_t longest() const noexcept;

private:
    std::string first_;
    std::vector<std::string> more_;
    bool has_first_ = false;
};

/// Looks for the end of a line, or another separator.
class SeparatorWaiter : public ReadWaiter {
protected:
    enum class Outcome : std::uint8_t { none, found, too_long, not_found, ended };
    using ReadWaiter::ReadWaiter;
    ~SeparatorWaiter() = default;
    /// The same for any separators.
    bool look(std::size_t shortest, std::size_t longest);
    virtual bool find(std::string_view data, std::size_t from) noexcept = 0;  // sets where it begins and ends
    [[noreturn]] void throw_limit_overrun() const;
    const char* overrun_message() const noexcept;

    Outcome outcome_ = Outcome::none;
    std::size_t match_begin_ = 0;
    std::size_t match_end_ = 0;
    std::size_t searched_ = 0;  // there is none before
    std::uint64_t taken_ = 0;   // when that was so
};

class [[nodiscard]] [[gnu::warn_unused]] ReadUntilWaiter final : public SeparatorWaiter {
public:
    ReadUntilWaiter(Ref<ReaderState> reader, Separators separators) noexcept;
    bool await_ready();
    std::string await_resume();

private:
    bool is_satisfied() override;
    bool find(std::string_view data, std::size_t from) noexcept override;
    Separators separators_;
    std::size_t shortest_ = 0;
    std::size_t longest_ = 0;
};

class LineWaiter : public SeparatorWaiter {
public:
    explicit LineWaiter(Ref<ReaderState> reader) noexcept;
    std::string await_resume();

protected:
    ~LineWaiter() = default;

private:
    bool is_satisfied() override;
    bool find(std::string_view data, std::size_t from) noexcept override;
};

class [[nodiscard]] [[gnu::warn_unused]] ReadLineWaiter final : public LineWaiter {
public:
    using LineWaiter::LineWaiter;
};

class [[nodiscard]] [[gnu::warn_unused]] NextLineWaiter final : public LineWaiter {
public:
    using LineWaiter::LineWaiter;
    std::optional<std::string> await_resume();
};

template <class Waiter, class... Args>
using ReadCall = WaiterCall<Waiter, Ref<ReaderState>, Args...>;

/// Several separators in one container.
template <class Range>
concept SeparatorRange = requires(const Range& range) {
    { *range.begin() } -> std::convertible_to<std::string_view>;
    range.end();
}
&&!std::convertible_to<Range, std::string_view>;

}  // namespace detail

/// Reads bytes of a stream, as `std::string`s. Copies name the same reader.
///
/// One task at a time may wait for it: another that has to wait gets RuntimeError. What has come is kept, and the other
/// end is held up when that is more than twice the limit. Cancelling loses no byte: what was not given to anybody is
/// there for the next.
///
/// When the connection is lost by an error, that is what all of these throw from then on. A task that waits goes on in
/// the loop's next pass after the bytes came. When no handle of it is left, what comes is thrown away.
///
/// Python: asyncio.StreamReader.
class StreamReader {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    StreamReader() noexcept = default;
    /// One that `feed_data()` and the like fill, for the running loop. Throws ValueError for a limit that is not
    /// positive.
    explicit StreamReader(StreamReaderOptions options);

    explicit operator bool() const noexcept { return static_cast<bool>(state_); }
    friend bool operator==(const StreamReader& a, const StreamReader& b) noexcept { return a.state_ == b.state_; }

    /// Waits until something is there and gives up to `size` bytes of it; nothing at the end. A negative size waits for
    /// the end and gives all until there.
    auto read(detail::Count size = -1) const {
        return detail::ReadCall<detail::ReadSomeWaiter, std::ptrdiff_t>(state(), size.get());
    }
    /// The same into a buffer, which must stay until it is over, and gives how many bytes; 0 at the end. Where it has
    /// to wait, the bytes are received right there.
    auto read_into(WritableBytes buffer) const {
        return detail::ReadCall<detail::ReadIntoWaiter, WritableBytes>(state(), buffer);
    }
    /// A line with its `\n`; at the end what is left without one, or nothing. Throws ValueError if it is longer than
    /// the limit, and drops what there is of it.
    auto readline() const { return detail::ReadCall<detail::ReadLineWaiter>(state()); }
    /// The next line, or nothing at the end: `while (auto line = co_await reader.next()) use(*line);`
    /// Python: `async for line in reader`.
    auto next() const { return detail::ReadCall<detail::NextLineWaiter>(state()); }
    /// Exactly `size` bytes. Throws IncompleteReadError if the stream ends before.
    auto readexactly(detail::Count size) const {
        return detail::ReadCall<detail::ReadExactlyWaiter, std::ptrdiff_t>(state(), size.get());
    }
    /// All up to a separator, with it; of several separators the one that ends first. Throws IncompleteReadError if the
    /// stream ends before, LimitOverrunError if there is none within the limit; then nothing is taken.
    auto readuntil(std::string_view separator = "\n") const {
        return detail::ReadCall<detail::ReadUntilWaiter, detail::Separators>(state(), detail::Separators(separator));
    }
    template <class... More>
    requires(sizeof...(More) > 0 && (std::convertible_to<More, std::string_view> &&
                                     ...)) auto readuntil(std::string_view separator, const More&... more) const {
        return detail::ReadCall<detail::ReadUntilWaiter, detail::Separators>(
            state(), detail::Separators(separator, std::string_view(more)...));
    }
    template <detail::SeparatorRange Range>
    auto readuntil(const Range& separators) const {
        detail::Separators all;
        for (const auto& separator : separators) all.add(separator);
        return detail::ReadCall<detail::ReadUntilWaiter, detail::Separators>(state(), std::move(all));
    }

    /// Whether the end has come and all before it was read.
    bool at_eof() const { return state()->at_eof(); }
    /// What the connection was lost by; null if it was not.
    std::exception_ptr exception() const { return state()->exception(); }

    /// For those who fill one of their own.
    void feed_data(BytesLike data) const { fed_state().feed_data(data.view()); }
    /// No more comes: who waits gets what there is. Python: reader.feed_eof().
    void feed_eof() const { fed_state().feed_eof(); }
    /// Who waits gets this, and who reads later: an exception or a `std::exception_ptr`. Python:
    /// reader.set_exception().
    template <class Exception>
    void set_exception(Exception exception) const {
        if constexpr (std::is_same_v<Exception, std::exception_ptr>) {
            fed_state().set_exception(std::move(exception));
        } else {
            fed_state().set_exception(std::make_exception_ptr(std::move(exception)));
        }
    }

    /// For the library.
    explicit StreamReader(detail::Ref<detail::ReaderState> state) noexcept : state_(std::move(state)) {}
    const detail::Ref<detail::ReaderState>& state() const;

private:
    detail::ReaderState& fed_state() const;  // in debug mode throws RuntimeError in another thread
    detail::Ref<detail::ReaderState> state_;
};

/// `<StreamReader 5 bytes eof>`, as Python prints it.
std::string repr(const StreamReader& reader);

}  // namespace asyncio
