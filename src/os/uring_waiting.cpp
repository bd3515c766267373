// UringBackend: waiting, and what it brings.
#include "os/uring_backend.h"

#include "os/io_calls.h"

#include <asyncio/errors/os_errors.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

// Of one stream, and uncollected. What comes after it waits in the kernel, and so does the sender.
constexpr std::size_t most_left_with_us = 256 * 1024;
// After 32 receives in a row the kernel lets others have a turn. An end that was there before may not be told then.
constexpr unsigned chunks_between_looks = 32;
constexpr nanoseconds until_next_try = std::chrono::milliseconds(10);
constexpr int most_refusals = 1000;  // in a row: for ten seconds the kernel took nothing

}  // namespace

// What a series has brought.

bool UringBackend::take(IoOperation& operation, Descriptor& descriptor) noexcept {
    if (operation.call == IoCall::receive && descriptor.has_bytes()) {
        take_bytes(operation, descriptor);
        return true;
    }
    if (operation.call == IoCall::accept && !descriptor.accepted.empty()) {
        int fd = descriptor.accepted.front();
        descriptor.accepted.erase(descriptor.accepted.begin());
        operation.result = fd;
        socklen_t room = operation.address_size;
        operation.address_size = operation.address != nullptr ? peer_name(fd, operation.address, room) : 0;
        return true;
    }
    bool takes_end = operation.call == IoCall::receive || operation.call == IoCall::accept;
    if (!takes_end || (descriptor.error == 0 && !descriptor.ended)) return false;
    operation.result = -std::exchange(descriptor.error, 0);
    return true;
}

void UringBackend::take_bytes(IoOperation& operation, Descriptor& descriptor) noexcept {
    char* to = static_cast<char*>(operation.data);
    std::size_t room = operation.size;
    std::size_t size = std::min(room, descriptor.kept.size() - descriptor.kept_begin);
    if (size > 0) {
        std::memcpy(to, descriptor.kept.data() + descriptor.kept_begin, size);
        descriptor.kept_begin += size;
        if (descriptor.kept_begin == descriptor.kept.size()) {
            descriptor.kept = {};
            descriptor.kept_begin = 0;
        }
        to += size;
        room -= size;
    }
    while (room > 0 && descriptor.first_chunk != Chunk::none) {
        Chunk& chunk = chunks_[descriptor.first_chunk];
        size = std::min<std::size_t>(room, chunk.end - chunk.begin);
        std::memcpy(to, ring_->buffer(descriptor.first_chunk) + chunk.begin, size);
        to += size;
        room -= size;
        chunk.begin = static_cast<std::uint16_t>(chunk.begin + size);
        if (chunk.begin == chunk.end) give_back_first(descriptor);
    }
    operation.result = static_cast<std::int64_t>(operation.size - room);
}

void UringBackend::give_back_first(Descriptor& descriptor) noexcept {
    std::uint16_t first = descriptor.first_chunk;
    descriptor.first_chunk = chunks_[first].next;
    if (descriptor.first_chunk == Chunk::none) descriptor.last_chunk = Chunk::none;
    ring_->give_back(first);
}

/// Our buffers are for the kernel, not for who reads slowly. False: there is no memory for it.
bool UringBackend::keep_chunks(Descriptor& descriptor) noexcept {
    if (descriptor.first_chunk == Chunk::none) return true;
    std::size_t size = 0;
    for (std::uint16_t i = descriptor.first_chunk; i != Chunk::none; i = chunks_[i].next) {
        size += static_cast<std::size_t>(chunks_[i].end - chunks_[i].begin);
    }
    descriptor.kept.erase(0, std::exchange(descriptor.kept_begin, 0));
    try {
        descriptor.kept.reserve(descriptor.kept.size() + size);
    } catch (...) {
        return false;
    }
    while (descriptor.first_chunk != Chunk::none) {
        const Chunk& chunk = chunks_[descriptor.first_chunk];
        descriptor.kept.append(ring_->buffer(descriptor.first_chunk) + chunk.begin, chunk.end - chunk.begin);
        give_back_first(descriptor);
    }
    return true;
}

void UringBackend::close_accepted(Descriptor& descriptor) noexcept {
    for (int fd : descriptor.accepted) ::close(fd);
    descriptor.accepted.clear();
}

void UringBackend::drop_series(Descriptor& descriptor) noexcept {
    call_off(descriptor.series);
    while (descriptor.first_chunk != Chunk::none) give_back_first(descriptor);
    close_accepted(descriptor);
    descriptor.kept = {};
    descriptor.kept_begin = 0;
    descriptor.reception = Reception::by_series;
    descriptor.chunks_unlooked = 0;
    descriptor.ended = false;
    descriptor.error = 0;
}

// Waiting.

/// An end or an error is there, which the series might not tell, since it was there before its last turn.
bool UringBackend::has_missed_end(Descriptor& descriptor) noexcept {
    if (descriptor.chunks_unlooked < chunks_between_looks) return false;
    descriptor.chunks_unlooked = 0;
    pollfd entry{descriptor.fd, POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) != 0;  // if that fails, a receive will tell
}

/// Before a wait: what the callbacks since the last have left of what it brought.
void UringBackend::check(Descriptor& descriptor) noexcept {
    keep_chunks(descriptor);
    if (descriptor.watched != 0 && descriptor.watching == nullptr) {
        descriptor.watching = ask(descriptor, Request::Kind::watch);
        if (descriptor.watching == nullptr) check_later(descriptor);
    }
    Request* series = descriptor.series;
    if (series != nullptr && !series->called_off) {
        if (series->kind == Request::Kind::receive && has_missed_end(descriptor))
            descriptor.reception = Reception::by_call;
        bool goes_on = !descriptor.reading.line.empty() && descriptor.reading.line.front().repeats &&
                       descriptor.kept.size() - descriptor.kept_begin < most_left_with_us &&
                       descriptor.reception != Reception::by_call;
        if (!goes_on) {  // what it brings until it ends is kept
            series->called_off = true;
            cancel_request(*series);
        }
    }
    // It would hold the file open, also when another thread closes it.
    if (descriptor.reading.line.empty()) call_off(descriptor.read_poll);
    if (descriptor.writing.line.empty()) call_off(descriptor.write_poll);
    next_in_line(descriptor, descriptor.reading);
    next_in_line(descriptor, descriptor.writing);
}

/// False: something could not be done, and is to be tried again.
bool UringBackend::check_all() noexcept {
    if (std::exchange(some_must_be_cancelled_, false)) {
        for (Request& request : requests_) {
            if (request.must_be_cancelled) cancel_request(request);
        }
    }
    IntrusiveList<Descriptor, ToCheck> now;
    now.splice_back(to_check_);
    while (!now.empty()) check(now.pop_front());
    return to_check_.empty() && !some_must_be_cancelled_;
}

void UringBackend::wait(std::optional<nanoseconds> timeout, std::vector<IoEvent>& events) {
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    if (!ring_) [[unlikely]] {
        NoFork until_it_is_noted;
        open_ring();
    }
    bool all_done = check_all();
    bool may_sleep = reports_.empty() && (!timeout || timeout->count() > 0);
    reports_.move_to(events);
    bool sleeps = may_sleep && wake_up_.fall_asleep();
    if (!sleeps) {
        if (!may_sleep) wake_up_.look();
        timeout = nanoseconds(0);
    } else {
        if (waking_ == nullptr) waking_ = ask(no_descriptor_, Request::Kind::wake);
        if (waking_ == nullptr || !all_done) timeout = std::min(timeout.value_or(until_next_try), until_next_try);
    }
    int error = ring_->enter(timeout);
    if (error != 0 && sleeps) [[unlikely]]
        error = sit_out_refusal(error, timeout.value_or(until_next_try));
    if (sleeps) wake_up_.awake();
    // Each names one operation or descriptor at most. Those that find no room stay where they are.
    bool all_told = ring_->take_completions(
        [&](const io_uring_cqe& completion) { return has_room(events) || names_nobody(completion); },
        [&](const io_uring_cqe& completion) { note_completion(completion, events); });
    if (!all_told) [[unlikely]]
        check_some_are_told(events);
    if (error == 0 || !events.empty()) [[likely]] {
        refusals_ = 0;  // what is named must be heard of; after another error the next wait throws
    } else if (error != EINTR && error != EAGAIN && error != EBUSY) {
        throw_os_error(error);
    }
}

/// The kernel may have no memory for what it is asked, and says so at once. That passes, as a rule; else nobody would
/// be heard of any more. Returns an errno.
int UringBackend::sit_out_refusal(int error, nanoseconds timeout) noexcept {
    if (error != EAGAIN && error != EBUSY) return error;
    if (refusals_ == most_refusals) return ENOMEM;
    ++refusals_;
    ring_->wait_without_asking(std::min(timeout, until_next_try), wake_up_.fd());
    wake_up_.drain();
    return EAGAIN;
}

bool UringBackend::names_nobody(const io_uring_cqe& completion) noexcept {
    if (completion.user_data == 0) return true;
    const Request& request = *reinterpret_cast<const Request*>(completion.user_data);
    return request.descriptor == nullptr || request.kind == Request::Kind::wake;
}

void UringBackend::note_completion(const io_uring_cqe& completion, std::vector<IoEvent>& events) noexcept {
    if (completion.user_data == 0) return;
    Request& request = *reinterpret_cast<Request*>(completion.user_data);
    bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    Descriptor* descriptor = request.descriptor;
    Request::Kind kind = request.kind;
    if (descriptor == nullptr) {
        if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
            ring_->give_back(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        } else if (kind == Request::Kind::accept && completion.res >= 0) {
            ::close(completion.res);
        }
    } else if (kind == Request::Kind::receive || kind == Request::Kind::accept) {
        note_series(request, completion);
        if (!goes_on) descriptor->series = nullptr;
    }
    if (!goes_on && descriptor != nullptr) {
        request.unlink();
        spare_of(*descriptor, kind).reset(&request);
    } else if (!goes_on) {
        delete &request;
    }
    if (descriptor == nullptr) return;

    auto tell = [&](DescriptorLine& direction) {
        if (direction.line.empty() || direction.line.front().reported) return;
        IoOperation& first = direction.line.front();
        first.reported = true;
        events.push_back({.operation = &first});
    };
    switch (kind) {
        case Request::Kind::wake:
            waking_ = nullptr;
            wake_up_.drain();
            break;
        case Request::Kind::watch: {
            descriptor->watching = nullptr;
            check_later(*descriptor);  // which asks again: level-triggered
            if (completion.res < 0) break;
            // Neither in nor out is an error or a hang-up: both sides find it when they try.
            bool readable = (completion.res & ~POLLOUT) != 0 && (descriptor->watched & POLLIN) != 0;
            bool writable = (completion.res & ~POLLIN) != 0 && (descriptor->watched & POLLOUT) != 0;
            if (readable || writable) events.push_back({descriptor->fd, readable, writable});
            break;
        }
        case Request::Kind::read_poll:
            descriptor->read_poll = nullptr;
            tell(descriptor->reading);
            break;
        case Request::Kind::write_poll:
            descriptor->write_poll = nullptr;
            tell(descriptor->writing);
            break;
        case Request::Kind::receive:
        case Request::Kind::accept:
            if (descriptor->has_something()) tell(descriptor->reading);
            break;
    }
}

void UringBackend::note_series(Request& request, const io_uring_cqe& completion) noexcept {
    Descriptor& descriptor = *request.descriptor;
    check_later(descriptor);
    bool in_our_buffer = (completion.flags & IORING_CQE_F_BUFFER) != 0;
    auto buffer = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    int result = completion.res;
    if (request.kind == Request::Kind::accept) {
        if (is_lack_of_means_to_accept(-result)) {  // it says so though nobody may be there: a call will tell
            descriptor.reception = Reception::once_by_call;
            return;
        }
        if (result >= 0) {
            try {
                descriptor.accepted.push_back(result);
            } catch (...) {
                ::close(result);
                descriptor.error = ENOMEM;
            }
        }
    } else if (result > 0 && in_our_buffer) {
        chunks_[buffer] = {0, static_cast<std::uint16_t>(result), Chunk::none};
        (descriptor.first_chunk == Chunk::none ? descriptor.first_chunk : chunks_[descriptor.last_chunk].next) = buffer;
        descriptor.last_chunk = buffer;
        ++descriptor.chunks_unlooked;
    } else {
        if (in_our_buffer) ring_->give_back(buffer);
        if (result == 0) descriptor.ended = true;
        if (result == -ENOBUFS && descriptor.reception == Reception::by_series)
            descriptor.reception = Reception::once_by_call;
    }
    // Out of buffers, or called off: the next check asks again if somebody waits.
    if (result < 0 && result != -ENOBUFS && result != -ECANCELED && result != -EAGAIN) descriptor.error = -result;
}

}  // namespace asyncio::detail
