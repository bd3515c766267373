#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/far_ref.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/shared_bytes.h>
#include <asyncio/net/tls_option.h>
#include <asyncio/net/transports.h>
#include <asyncio/net/waiter_call.h>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

class StreamReader;
class StreamReaderProtocol;
void add_handle(StreamReaderProtocol& stream) noexcept;  // for the library
void drop_handle(StreamReaderProtocol& stream) noexcept;

namespace detail {

struct StreamWaiters;  // the tag of a stream's list of those who wait for it

/// Keeps a stream open.
using StreamHandle = FarRef<StreamReaderProtocol>;

/// A wait of a task for something of a stream's writing side.
class StreamWaiter : public Waiter, public ListHook<StreamWaiters> {
public:
    enum class For : bool { room, end };
    void tell(WaitStory& story) const override;
    virtual For waits_for() const noexcept = 0;
    void wake_with(const std::exception_ptr& error) noexcept {
        error_ = error;
        wake();
    }

protected:
    explicit StreamWaiter(StreamHandle stream) noexcept;
    ~StreamWaiter() = default;
    void on_cancel() noexcept override { ListHook<StreamWaiters>::unlink(); }
    StreamReaderProtocol& stream() const noexcept { return *stream_.get(); }
    StreamHandle stream_;
    std::exception_ptr error_;
};

class [[nodiscard]] [[gnu::warn_unused]] DrainWaiter final : public StreamWaiter {
public:
    explicit DrainWaiter(StreamHandle stream) noexcept : StreamWaiter(std::move(stream)) { set_doing(Doing::writing); }
    For waits_for() const noexcept override { return For::room; }
    bool await_ready();
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    void await_resume();

private:
    bool is_drained();
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void turn() override;
};

class [[nodiscard]] [[gnu::warn_unused]] WaitClosedWaiter final : public StreamWaiter {
public:
    explicit WaitClosedWaiter(StreamHandle stream) noexcept : StreamWaiter(std::move(stream)) {
        set_doing(Doing::closing);
    }
    For waits_for() const noexcept override { return For::end; }
    bool await_ready();
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    void await_resume();

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
};

}  // namespace detail

/// Writes bytes to a stream. Copies name the same writer.
///
/// `write()` sends at once what the socket takes and keeps the rest, which goes as soon as there is room. It never
/// waits: after it, `co_await writer.drain()` waits while more than the high-water mark is kept, so that a slow reader
/// at the other end does not fill the memory.
///
/// When the last handle is gone the stream is closed, as by `close()`. Python: asyncio.StreamWriter.
class StreamWriter {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    StreamWriter() noexcept = default;
    /// Of a transport on which a protocol stands that has made a connection, or was put there by `set_protocol()`. The
    /// reader, whose error `drain()` throws, is the protocol's or empty; if the protocol has none it takes this one.
    StreamWriter(const WriteTransport& transport, const ProtocolRef<StreamReaderProtocol>& protocol,
                 const StreamReader& reader);
    /// The same without a reader: on the transport of `connect_write_pipe()`, for instance.
    StreamWriter(const WriteTransport& transport, const ProtocolRef<StreamReaderProtocol>& protocol,
                 decltype(nullptr) no_reader = nullptr);

    explicit operator bool() const noexcept { return stream_.get() != nullptr; }
    friend bool operator==(const StreamWriter& a, const StreamWriter& b) noexcept {
        return a.stream_.get() == b.stream_.get();
    }
    /// For sets and maps: in any order.
    friend bool operator<(const StreamWriter& a, const StreamWriter& b) noexcept {
        return hash_value(a) < hash_value(b);
    }
    friend std::size_t hash_value(const StreamWriter& a) noexcept {
        return reinterpret_cast<std::size_t>(a.stream_.get());
    }

    /// Throws RuntimeError after `write_eof()`. After the connection was lost it does nothing; `drain()` tells.
    void write(BytesLike data) const;
    /// The same of a string that is given away, `std::move(text)` or a temporary, or of what is shared: a large rest is
    /// kept as it is, and not copied. A string of which nothing has to be kept stays what it was.
    template <std::same_as<std::string> Text>
    void write(Text&& data) const {
        write_given(data);
    }
    template <std::same_as<SharedBytes> Bytes>
    void write(const Bytes& data) const {
        write_given(data);
    }
    /// The same for several pieces, in as few system calls as it takes.
    template <class Range = std::initializer_list<BytesLike>>
    void writelines(const Range& lines) const {
        std::vector<BytesLike> all;
        for (const auto& line : lines) all.emplace_back(line);
        write_all(all.data(), all.size());
    }
    /// Waits until there is room for more. Throws what the connection was lost by; ConnectionResetError once it is
    /// closed.
    auto drain() const { return detail::WaiterCall<detail::DrainWaiter, detail::StreamHandle>(handle()); }
    /// Ends this direction when all that was written is sent; the other end reads an end then. Reading goes on.
    void write_eof() const;
    /// False with TLS, which cannot.
    bool can_write_eof() const;
    /// Sends what is kept, then closes. Nothing is read any more.
    void close() const;
    /// Whether it is closed, or about to be. Python: writer.is_closing().
    bool is_closing() const;
    /// Waits until it is closed, after `close()`. Throws what the connection was lost by.
    auto wait_closed() const { return detail::WaiterCall<detail::WaitClosedWaiter, detail::StreamHandle>(handle()); }
    /// `"peername"` and `"sockname"` are addresses, `"socket"` the socket under the stream. They stay what they were
    /// when it is closed. `"ssl_object"` and its like are with `BaseTransport`. Nothing for other names.
    ExtraInfo get_extra_info(std::string_view name) const;

    /// Goes on by TLS when all that was written is sent: the handshake is over when this goes on. From then on the
    /// reader reads, and this writes, what goes by TLS. If it fails, or is cancelled, the connection is closed, but
    /// for one that is cancelled while what was written is still being sent. What is written meanwhile would go out in
    /// the clear: that throws RuntimeError, as does start_tls() again.
    Coro<> start_tls(TlsOption sslcontext, StartTlsOptions options = {}) const;

    /// What it writes to. Python: writer.transport.
    Transport transport() const;
    /// Closes at once, and drops what is kept. Python: writer.transport.abort().
    void abort() const;
    /// Throws ValueError if `low` is above `high`. Python: writer.transport.set_write_buffer_limits().
    void set_write_buffer_limits(WriteBufferOptions options = {}) const;
    /// In bytes. Python: writer.transport.get_write_buffer_limits().
    WriteBufferLimits get_write_buffer_limits() const;
    /// How many bytes are kept. Python: writer.transport.get_write_buffer_size().
    std::size_t get_write_buffer_size() const;
    /// Whether more is being read: not when it is closing, nor when the reader has more than twice its limit.
    /// Python: writer.transport.is_reading().
    bool is_reading() const;

    /// For the library.
    explicit StreamWriter(StreamReaderProtocol* stream) noexcept : stream_(stream) {}
    const detail::StreamHandle& handle() const;

private:
    void write_given(std::string& data) const;
    void write_given(const SharedBytes& data) const;
    void write_all(const BytesLike* lines, std::size_t count) const;
    detail::StreamHandle stream_;
};

/// `<StreamWriter transport=<_SelectorSocketTransport fd=9 …> reader=<StreamReader …>>`, as Python prints it.
std::string repr(const StreamWriter& writer);

}  // namespace asyncio

template <>
struct std::hash<asyncio::StreamWriter> {
    std::size_t operator()(const asyncio::StreamWriter& writer) const noexcept { return hash_value(writer); }
};
