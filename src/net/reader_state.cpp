#include <asyncio/net/reader_state.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/descriptor_story.h"
#include "net/transport_state.h"

#include <asyncio/errors/exceptions.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace asyncio::detail {

namespace {

/// Twice of it is a size, too.
std::size_t usable(std::int64_t limit) noexcept {
    return static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(limit), SIZE_MAX / 2));
}
}  // namespace

ReaderState::ReaderState(LoopCore& loop, std::int64_t limit) : limit_(usable(limit)), loop_(&loop) {
    if (limit <= 0) throw ValueError("Limit cannot be <= 0");
    loop.inc_ref();
}

ReaderState::~ReaderState() { loop_->dec_ref(); }

void ReaderState::dec_ref() noexcept {
    loop_->note_thread("a handle of a StreamReader went in a thread that is not its loop's");
    if (--references_ == 0) {
        delete this;
    } else if (references_ == 1 && transport_ != nullptr && !std::exchange(abandoned_, true)) {
        // Nobody can read any more. As in Python what comes is thrown away, so that the end is noticed.
        clear();
        resume_transport_if_room();
    }
}

// What comes in.

void ReaderState::feed_data(std::string_view data) {
    if (data.empty() || abandoned_) return;
    if (begin_ > buffer_.size() / 2) buffer_.erase(0, std::exchange(begin_, 0));
    std::size_t size = buffer_.size() + data.size();
    if (size > buffer_.capacity() && size >= ReceiveBuffer::least_spare) take_spare(size);
    if (size > buffer_.capacity() && buffer_.empty()) {
        buffer_ = std::string(data);  // half the instructions of append()
    } else {
        buffer_.append(data);
    }
    wake_if_satisfied();
    pause_transport_if_full();
}

void ReaderState::feed_given(std::string&& data) {
    if (!is_empty() || data.size() <= buffer_.capacity() || abandoned_) return feed_data(data);
    begin_ = 0;
    buffer_.swap(data);
    wake_if_satisfied();
    pause_transport_if_full();
}

void ReaderState::take_spare(std::size_t size) noexcept {
    std::string spare = loop_->receive_buffer().take_spare(size);
    if (spare.capacity() < size) return;
    spare.append(buffer_);
    buffer_.swap(spare);
    loop_->receive_buffer().keep_spare(std::move(spare));
}

void ReaderState::feed_eof() noexcept {
    eof_ = true;
    wake_if_satisfied();
}

void ReaderState::set_exception(std::exception_ptr exception) noexcept {
    exception_ = exception;
    connection_is_lost_ = exception_is_told_ = false;
    if (waiter_ == nullptr) return;
    ReadWaiter& waiter = *waiter_;
    stop_waiting(waiter);
    waiter.error = std::move(exception);
    waiter.wake_for_turn();
}

void ReaderState::lose(std::exception_ptr exception) noexcept {
    set_exception(std::move(exception));
    connection_is_lost_ = true;
}

void ReaderState::tell_exception() {
    exception_is_told_ = connection_is_lost_;
    std::rethrow_exception(exception_);
}

void ReaderState::wake_if_satisfied() noexcept {
    if (waiter_ == nullptr || !waiter_->is_satisfied()) return;
    ReadWaiter& waiter = *waiter_;
    stop_waiting(waiter);
    waiter.wake_for_turn();
}

bool ReaderState::offer() noexcept {
    if (waiter_ == nullptr) return false;
    ReadWaiter& waiter = *waiter_;
    stop_waiting(waiter);
    waiter.set_receives();
    waiter.wake_for_turn();
    return true;
}

WritableBytes ReaderState::room() const noexcept {
    return receiving_ != nullptr && is_empty() ? receiving_->room() : WritableBytes();
}

void ReaderState::put_directly(std::size_t size) noexcept { receiving_->put_directly(size); }

/// Whoever waits for more than the limit must get it, or both sides would wait.
void ReaderState::pause_transport_if_full() noexcept {
    bool is_full = buffer_.size() - begin_ > 2 * limit_;
    if (!is_full || paused_ || waiter_ != nullptr || transport_ == nullptr) return;
    paused_ = true;
    transport_->pause_reading();
}

// What goes out.

std::string ReaderState::take(std::size_t size) {
    std::size_t there = buffer_.size() - begin_;
    bool is_roomy = buffer_.capacity() >= ReceiveBuffer::least_spare && buffer_.capacity() / 2 > there;
    if (begin_ == 0 && size >= there && !is_roomy) {
        taken_ += there;
        return std::exchange(buffer_, {});
    }
    std::string data = buffer_.substr(begin_, size);
    drop(data.size());
    return data;
}

void ReaderState::drop(std::size_t size) noexcept {
    begin_ += size;
    taken_ += size;
    if (begin_ < buffer_.size()) return;
    begin_ = 0;
    if (buffer_.capacity() > ReceiveBuffer::least_spare) {
        loop_->receive_buffer().keep_spare(std::exchange(buffer_, {}));
    } else {
        buffer_.clear();
    }
}

void ReaderState::resume_transport_if_room() noexcept {
    if (!paused_ || buffer_.size() - begin_ > limit_) return;
    paused_ = false;
    resume_transport();
}

/// Who takes from a stream has not asked for this: if it fails it is the transport that is lost, and the reader tells.
void ReaderState::resume_transport() noexcept {
    if (transport_ == nullptr) return;
    try {
        transport_->resume_reading();
    } catch (...) {
        if (!transport_->loop().is_closed()) transport_->force_close(std::current_exception());
    }
}

// Who waits.

void ReaderState::check_nobody_waits(const char* function) const {
    if (waiter_ == nullptr) return;
    throw RuntimeError(std::string(function) +
                       "() called while another coroutine is already waiting for incoming data");
}

void ReaderState::wait(ReadWaiter& waiter) noexcept {
    waiter_ = &waiter;
    if (std::exchange(paused_, false)) resume_transport();
}

void ReaderState::stop_waiting(ReadWaiter& waiter) noexcept {
    if (waiter_ == &waiter) waiter_ = nullptr;
}

std::string ReaderState::repr() const {
    std::string text = "<StreamReader";
    if (!is_empty()) text += " " + std::to_string(buffer_.size() - begin_) + " bytes";
    if (eof_) text += " eof";
    if (limit_ != 65536) text += " limit=" + std::to_string(limit_);
    if (waiter_ != nullptr) text += " waiter=<Future pending>";
    if (exception_) text += " exception=" + asyncio::repr(exception_);
    if (transport_ != nullptr) text += " transport=" + transport_->repr();
    if (paused_) text += " paused";
    return text + ">";
}

namespace {

constexpr const char* names[] = {"read", "read_into", "readexactly", "readuntil"};

}  // namespace

void ReadWaiter::check_nobody_waits() const { reader_->check_nobody_waits(names[static_cast<std::size_t>(call())]); }

void ReadWaiter::tell(WaitStory& story) const {
    std::string doing = std::string("in ") + names[static_cast<std::size_t>(call())] + "()";
    if (!reader_->is_empty()) doing += " with " + counted(reader_->available().size(), "byte");
    story.text = descriptor_story(fd(), doing);
}

bool ReadWaiter::begin() {
    reader_->loop().check_thread();
    reader_->check_exception();
    if (is_satisfied()) return true;
    check_nobody_waits();
    const TransportState* transport = reader_->transport();
    set_fd(transport != nullptr ? transport->fileno() : -1);
    reader_->wait(*this);
    return false;
}

void ReadWaiter::tell_error() {
    if (error == reader_->exception()) reader_->tell_exception();
    std::rethrow_exception(std::move(error));
}

void ReadWaiter::on_cancel() noexcept {
    reader_->stop_waiting(*this);
    reader_->pause_transport_if_full();
}

/// What was offered, if it is still there.
void ReadWaiter::receive() {
    TransportState* transport = reader_->transport();
    if (transport == nullptr) return;
    reader_->receiving_ = task_->cancel_is_ahead() ? nullptr : this;
    transport->receive_late();
    reader_->receiving_ = nullptr;
}

void ReadWaiter::turn() {
    if ((free_byte_ & receives) != 0) {
        free_byte_ &= static_cast<std::uint8_t>(~receives);
        receive();  // what fails there is the connection's loss
    }
    bool goes_on = task_->cancel_is_ahead() || error || is_filled();
    if (!goes_on && !is_satisfied()) {
        // It was not enough, or somebody has taken what woke it.
        try {
            reader_->check_exception();
            check_nobody_waits();
            reader_->wait(*this);
            return wait_again();
        } catch (...) {
            error = std::current_exception();
        }
    }
    step_task();
}

}  // namespace asyncio::detail
