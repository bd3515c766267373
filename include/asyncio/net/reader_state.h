#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/net/bytes_like.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace asyncio::detail {

class ReadWaiter;
class TransportState;

/// What all handles of one StreamReader share: the bytes that have come and nobody has read yet.
class ReaderState : public Pooled {
public:
    /// Throws ValueError if the limit is not positive.
    ReaderState(LoopCore& loop, std::int64_t limit);
    ReaderState(const ReaderState&) = delete;
    ReaderState& operator=(const ReaderState&) = delete;

    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept;

    std::size_t limit() const noexcept { return limit_; }
    bool at_eof() const noexcept { return eof_ && is_empty(); }
    /// Nothing more will come.
    bool has_ended() const noexcept { return eof_ || exception_is_told_; }
    const std::exception_ptr& exception() const noexcept { return exception_; }
    /// Throws what has ended it.
    void check_exception() {
        if (exception_ && (!exception_is_told_ || is_empty())) [[unlikely]]
            tell_exception();
    }
    [[noreturn]] void tell_exception();
    /// Nobody but its transport knows it any more.
    bool is_abandoned() const noexcept { return abandoned_; }
    std::string repr() const;

    // What comes in.
    void feed_data(std::string_view data);
    /// The same, of bytes that may be kept as they are.
    void feed_given(std::string&& data);
    void feed_eof() noexcept;
    void set_exception(std::exception_ptr exception) noexcept;
    /// The same of a connection that is lost: when that was told, what had come before can still be read.
    void lose(std::exception_ptr exception) noexcept;
    /// The transport could receive something. True if somebody waits for it: then he receives it himself, in his turn.
    bool offer() noexcept;
    /// Where the transport may put the next bytes directly, if anywhere; it says then how many.
    WritableBytes room() const noexcept;
    void put_directly(std::size_t size) noexcept;

    // What goes out.
    bool is_empty() const noexcept { return begin_ == buffer_.size(); }
    std::string_view available() const noexcept { return std::string_view(buffer_).substr(begin_); }
    /// All that was ever taken: as long as it stays the same, what was found in the bytes stays where it is.
    std::uint64_t taken() const noexcept { return taken_; }
    /// Takes the first `size` bytes, or as many as there are.
    std::string take(std::size_t size);
    void drop(std::size_t size) noexcept;
    void clear() noexcept { drop(buffer_.size() - begin_); }
    void resume_transport_if_room() noexcept;

    // Who waits.
    void check_nobody_waits(const char* function) const;  // throws RuntimeError
    void wait(ReadWaiter& waiter) noexcept;
    void stop_waiting(ReadWaiter& waiter) noexcept;
    void pause_transport_if_full() noexcept;
    void resume_transport() noexcept;

    /// Its transport, which has one of the references, or null.
    void set_transport(TransportState* transport) noexcept { transport_ = transport; }
    TransportState* transport() const noexcept { return transport_; }
    bool has_paused() const noexcept { return paused_; }
    LoopCore& loop() const noexcept { return *loop_; }

private:
    ~ReaderState();
    void wake_if_satisfied() noexcept;
    void take_spare(std::size_t size) noexcept;

    unsigned references_ = 0;
    bool eof_ = false;
    bool paused_ = false;  // its transport, by us
    bool abandoned_ = false;
    bool connection_is_lost_ = false;
    bool exception_is_told_ = false;  // of one that is lost
    std::size_t limit_;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::uint64_t taken_ = 0;
    std::exception_ptr exception_;
    LoopCore* loop_;
    TransportState* transport_ = nullptr;
    ReadWaiter* waiter_ = nullptr;
    ReadWaiter* receiving_ = nullptr;  // the one whose turn it is, if bytes may be put into its room
    friend class ReadWaiter;
};

/// A wait of a task for what it wants of a stream, inside the frame that waits.
///
/// It is asked each time when something has come, and woken when it would be satisfied. When there is something to
/// receive it is woken as well and receives it in its turn: into its own buffer, or one that is in the cache, and
/// nothing lies around in between. If it is not satisfied when its turn comes it waits again. It takes in the step of
/// its task only, so cancelling loses nothing.
class ReadWaiter : public Waiter {
public:
    void tell(WaitStory& story) const override;
    bool await_ready() { return begin(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        suspend(*frame.promise().task(), frame);
    }

    /// Whether what is wanted is there, or will never be.
    virtual bool is_satisfied() = 0;
    /// Where bytes may be put directly.
    virtual WritableBytes room() const noexcept { return {}; }
    /// So many were put there.
    void put_directly(std::size_t size) noexcept {
        free_byte_ |= filled;
        note_filled(size);
    }
    using Waiter::wake_for_turn;

    // What its reader sets.
    void set_receives() noexcept { free_byte_ |= receives; }

protected:
    enum class Call : std::uint8_t { read, read_into, readexactly, readuntil };
    ReadWaiter(Ref<ReaderState> reader, Call call) noexcept
        : Waiter(WaitKind::file_descriptor, &reader_), reader_(std::move(reader)) {
        set_doing(Doing::reading);
        free_byte_ = static_cast<std::uint8_t>(call);
    }
    ~ReadWaiter() {
        if (reader_->waiter_ == this) [[unlikely]]
            reader_->stop_waiting(*this);
    }

    /// To be called first in `await_resume`.
    void check_outcome() {
        check();
        if (error) [[unlikely]]
            tell_error();
    }
    ReaderState& reader() const noexcept { return *reader_; }
    bool is_filled() const noexcept { return (free_byte_ & filled) != 0; }

private:
    bool begin();
    [[noreturn]] void tell_error();
    void receive();
    void check_nobody_waits() const;
    virtual void note_filled(std::size_t) noexcept {}
    void on_cancel() noexcept override;
    void turn() override;

    // With the call in the one byte that the base has free: this is in the frame of each idle connection.
    static constexpr std::uint8_t receives = 0x80;
    static constexpr std::uint8_t filled = 0x40;
    Call call() const noexcept { return static_cast<Call>(free_byte_ & ~(receives | filled)); }

public:
    std::exception_ptr error;  // set by its reader

private:
    Ref<ReaderState> reader_;
};

}  // namespace asyncio::detail
