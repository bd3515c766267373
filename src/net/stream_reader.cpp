#include <asyncio/net/stream_reader.h>

#include "loop/loop_core.h"

#include <asyncio/errors/exceptions.h>

#include <algorithm>
#include <cstring>

namespace asyncio {

IncompleteReadError::IncompleteReadError(std::string partial, std::optional<std::size_t> expected)
    : EOFError(std::to_string(partial.size()) + " bytes read on a total of " +
               (expected ? std::to_string(*expected) : std::string("undefined")) + " expected bytes"),
      partial_(std::move(partial)),
      expected_(expected) {}

StreamReader::StreamReader(StreamReaderOptions options)
    : state_(new detail::ReaderState(detail::running_core(), options.limit)) {}

const detail::Ref<detail::ReaderState>& StreamReader::state() const {
    if (!state_)
        throw RuntimeError(
            "this handle is empty: it was default-constructed or moved from, and names no reader; or it is the stdout "
            "or "
            "stderr of a child that was not started with {.stdout = asyncio::subprocess::PIPE}");
    return state_;
}

detail::ReaderState& StreamReader::fed_state() const {
    detail::ReaderState& fed = *state();
    fed.loop().check_thread();
    return fed;
}

std::string repr(const StreamReader& reader) { return reader ? reader.state()->repr() : "None"; }

namespace detail {

// read()

ReadSomeWaiter::ReadSomeWaiter(Ref<ReaderState> reader, std::ptrdiff_t most) noexcept
    : ReadWaiter(std::move(reader), Call::read), most_(most) {}

bool ReadSomeWaiter::is_satisfied() {
    if (most_ == 0 || reader().has_ended()) return true;
    return most_ > 0 && !reader().is_empty();
}

std::string ReadSomeWaiter::await_resume() {
    check_outcome();
    if (most_ == 0) return {};
    std::string data = reader().take(most_ < 0 ? SIZE_MAX : static_cast<std::size_t>(most_));
    reader().resume_transport_if_room();
    return data;
}

// read_into()

ReadIntoWaiter::ReadIntoWaiter(Ref<ReaderState> reader, WritableBytes buffer) noexcept
    : ReadWaiter(std::move(reader), Call::read_into), buffer_(buffer) {}

bool ReadIntoWaiter::is_satisfied() { return buffer_.size() == 0 || reader().has_ended() || !reader().is_empty(); }

std::size_t ReadIntoWaiter::await_resume() {
    check_outcome();
    if (is_filled()) return buffer_.size();
    std::string_view there = reader().available();
    std::size_t size = std::min(there.size(), buffer_.size());
    if (size == 0) return 0;
    std::memcpy(buffer_.data(), there.data(), size);
    reader().drop(size);
    reader().resume_transport_if_room();
    return size;
}

// readexactly()

ReadExactlyWaiter::ReadExactlyWaiter(Ref<ReaderState> reader, std::ptrdiff_t size) noexcept
    : ReadWaiter(std::move(reader), Call::readexactly), size_(size) {}

bool ReadExactlyWaiter::await_ready() {
    if (size_ < 0) throw ValueError("readexactly size can not be less than zero");
    return ReadWaiter::await_ready();
}

bool ReadExactlyWaiter::is_satisfied() {
    return reader().available().size() >= static_cast<std::size_t>(size_) || reader().has_ended();
}

std::string ReadExactlyWaiter::await_resume() {
    check_outcome();
    auto size = static_cast<std::size_t>(size_);
    std::string data = reader().take(size);
    if (data.size() < size) throw IncompleteReadError(std::move(data), size);
    reader().resume_transport_if_room();
    return data;
}

// readuntil() and readline()

Separators::Separators() noexcept = default;
Separators::Separators(std::string_view one) : first_(one), has_first_(true) {}
Separators::Separators(Separators&& other) noexcept = default;
Separators::~Separators() = default;
void Separators::add(std::string_view one) { more_.emplace_back(one); }

std::size_t Separators::count() const noexcept { return more_.size() + (has_first_ ? 1 : 0); }
std::string_view Separators::operator[](std::size_t index) const noexcept {
    return has_first_ ? (index == 0 ? std::string_view(first_) : more_[index - 1]) : more_[index];
}

std::size_t Separators::shortest() const noexcept {
    std::size_t size = SIZE_MAX;
    for (std::size_t i = 0; i < count(); ++i) size = std::min(size, (*this)[i].size());
    return size;
}

std::size_t Separators::longest() const noexcept {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count(); ++i) size = std::max(size, (*this)[i].size());
    return size;
}

// CPython: streams.py, StreamReader.readuntil
bool SeparatorWaiter::look(std::size_t shortest, std::size_t longest) {
    if (std::exchange(taken_, reader().taken()) != reader().taken()) searched_ = 0;
    std::string_view data = reader().available();
    if (data.size() >= searched_ + shortest) {
        if (find(data, searched_)) {
            outcome_ = match_begin_ > reader().limit() ? Outcome::too_long : Outcome::found;
            return true;
        }
        // The end of what is there may be the beginning of a separator.
        searched_ = data.size() + 1 > longest ? data.size() + 1 - longest : 0;
    }
    if (searched_ > reader().limit()) {
        outcome_ = Outcome::not_found;
        return true;
    }
    if (!reader().has_ended()) return false;
    outcome_ = Outcome::ended;
    return true;
}

const char* SeparatorWaiter::overrun_message() const noexcept {
    return outcome_ == Outcome::too_long ? "Separator is found, but chunk is longer than limit"
                                         : "Separator is not found, and chunk exceed the limit";
}

void SeparatorWaiter::throw_limit_overrun() const {
    throw LimitOverrunError(overrun_message(), outcome_ == Outcome::too_long ? match_begin_ : searched_);
}

ReadUntilWaiter::ReadUntilWaiter(Ref<ReaderState> reader, Separators separators) noexcept
    : SeparatorWaiter(std::move(reader), Call::readuntil), separators_(std::move(separators)) {}

bool ReadUntilWaiter::await_ready() {
    if (separators_.count() == 0) throw ValueError("Separator should contain at least one element");
    shortest_ = separators_.shortest();
    longest_ = separators_.longest();
    if (shortest_ == 0) throw ValueError("Separator should be at least one-byte string");
    return ReadWaiter::await_ready();
}

bool ReadUntilWaiter::is_satisfied() { return look(shortest_, longest_); }

bool ReadUntilWaiter::find(std::string_view data, std::size_t from) noexcept {
    bool found = false;
    for (std::size_t i = 0; i < separators_.count(); ++i) {
        std::size_t begin = data.find(separators_[i], from);
        if (begin == data.npos) continue;
        std::size_t end = begin + separators_[i].size();
        // Of those that end at the same place the shortest, as in Python.
        if (found && (end > match_end_ || (end == match_end_ && begin <= match_begin_))) continue;
        found = true;
        match_begin_ = begin;
        match_end_ = end;
    }
    return found;
}

std::string ReadUntilWaiter::await_resume() {
    check_outcome();
    if (outcome_ == Outcome::ended) throw IncompleteReadError(reader().take(SIZE_MAX), std::nullopt);
    if (outcome_ != Outcome::found) throw_limit_overrun();
    std::string data = reader().take(match_end_);
    reader().resume_transport_if_room();
    return data;
}

LineWaiter::LineWaiter(Ref<ReaderState> reader) noexcept : SeparatorWaiter(std::move(reader), Call::readuntil) {}

bool LineWaiter::is_satisfied() { return look(1, 1); }

bool LineWaiter::find(std::string_view data, std::size_t from) noexcept {
    match_begin_ = data.find('\n', from);
    match_end_ = match_begin_ + 1;
    return match_begin_ != data.npos;
}

std::string LineWaiter::await_resume() {
    check_outcome();
    if (outcome_ == Outcome::ended) return reader().take(SIZE_MAX);
    if (outcome_ == Outcome::found) {
        std::string line = reader().take(match_end_);
        reader().resume_transport_if_room();
        return line;
    }
    if (outcome_ == Outcome::too_long) {
        reader().drop(match_end_);
    } else {
        reader().clear();
    }
    reader().resume_transport_if_room();
    throw ValueError(overrun_message());
}

std::optional<std::string> NextLineWaiter::await_resume() {
    std::optional<std::string> line = LineWaiter::await_resume();
    if (line->empty()) line.reset();
    return line;
}

}  // namespace detail
}  // namespace asyncio
