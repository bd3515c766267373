#include "os/uring_backend.h"

#include "os/io_calls.h"

#include <asyncio/errors/os_errors.h>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

namespace asyncio::detail {
namespace {

bool takes_from_series(IoCall call) noexcept { return call == IoCall::receive || call == IoCall::accept; }

}  // namespace

UringBackend::UringBackend() {
    NoFork until_it_is_followed;
    open_ring();
    begin_to_follow_forks(until_it_is_followed);
}

void UringBackend::open_ring() {
    if (int error = wake_up_.open()) throw_os_error(error);
    ring_.emplace();
}

UringBackend::~UringBackend() {
    if (ring_is_parents_) forget_parents_ring();
    reports_.orphan_closed();
    table_.for_each([this](int, Descriptor& descriptor) {
        Reports::orphan(descriptor.reading.line);
        Reports::orphan(descriptor.writing.line);
        abandon(descriptor);
    });
    call_off(waking_);
    end_requests();
    NoFork until_all_is_closed;
    end_to_follow_forks(until_all_is_closed);
    ring_.reset();
    file_watch_.close();
    wake_up_.close();
}

/// Only when the kernel has ended all that it was asked for may the buffers go.
void UringBackend::end_requests() noexcept {
    constexpr std::chrono::nanoseconds a_while = std::chrono::milliseconds(10);
    constexpr int most_refusals = 100;
    for (int refusals = 0; !requests_.empty() && refusals < most_refusals;) {
        ring_->cancel_everything();
        int error = ring_->enter(a_while);
        std::vector<IoEvent> unused;
        ring_->take_completions([&](const io_uring_cqe& completion) { note_completion(completion, unused); });
        if (error == 0 || error == EINTR) continue;
        ++refusals;
        ring_->wait_without_asking(a_while, -1);
    }
    if (requests_.empty()) return;
    ring_->leave_buffers();
    while (!requests_.empty()) delete &requests_.front();
}

UringBackend::Descriptor* UringBackend::find(IoDescriptor which) noexcept {
    Descriptor* descriptor = table_.find(which.fd);
    return descriptor != nullptr && descriptor->serial == which.serial ? descriptor : nullptr;
}

// What the kernel is asked for.

std::unique_ptr<UringBackend::Request>& UringBackend::spare_of(Descriptor& descriptor, Request::Kind kind) noexcept {
    constexpr auto last = static_cast<std::size_t>(Request::Kind::receive);  // the others share one
    return descriptor.spare[std::min(static_cast<std::size_t>(kind), last)];
}

/// Null if that cannot be done now.
UringBackend::Request* UringBackend::ask(Descriptor& descriptor, Request::Kind kind) noexcept {
    std::unique_ptr<Request>& request = spare_of(descriptor, kind);
    try {
        if (!request) request = std::make_unique<Request>();
    } catch (...) {
        return nullptr;
    }
    if (!hand_over(descriptor, kind, reinterpret_cast<std::uint64_t>(request.get()))) return nullptr;
    request->kind = kind;
    request->called_off = request->must_be_cancelled = false;
    request->descriptor = &descriptor;
    requests_.push_back(*request);
    return request.release();  // note_completion() has it again
}

bool UringBackend::hand_over(Descriptor& descriptor, Request::Kind kind, std::uint64_t user_data) noexcept {
    if (!ring_) return false;
    switch (kind) {
        case Request::Kind::wake:
            return ring_->poll(wake_up_.fd(), POLLIN, user_data);
        case Request::Kind::watch:
            return ring_->poll(descriptor.fd, descriptor.watched, user_data);
        case Request::Kind::read_poll:
            return ring_->poll(descriptor.fd, POLLIN | POLLRDHUP | POLLPRI, user_data);
        case Request::Kind::write_poll:
            return ring_->poll(descriptor.fd, POLLOUT, user_data);
        case Request::Kind::receive:
            return ring_->receive_all(descriptor.fd, user_data);
        case Request::Kind::accept:
            return ring_->accept_all(descriptor.fd, user_data);
    }
    return false;
}

void UringBackend::cancel_request(Request& request) noexcept {
    request.must_be_cancelled = !ring_->cancel(reinterpret_cast<std::uint64_t>(&request));
    if (request.must_be_cancelled) some_must_be_cancelled_ = true;
}

/// Nobody is interested any more. Its last completion ends it.
void UringBackend::call_off(Request*& request) noexcept {
    if (request == nullptr) return;
    if (!std::exchange(request->called_off, true)) cancel_request(*request);
    request->descriptor = nullptr;
    request = nullptr;
}

/// Sees to it that the first in a line is named when there is something for it. False: not now, for lack of memory; the
/// next waits try again.
bool UringBackend::arm(Descriptor& descriptor, const IoOperation& first) noexcept {
    if (takes_from_series(first.call) && descriptor.has_something()) {
        reports_.add_first(descriptor.reading);
        return true;
    }
    if (first.repeats && descriptor.series != nullptr) return true;  // one that was called off is waited for
    Request** request = &descriptor.read_poll;
    auto kind = Request::Kind::read_poll;
    if (first.repeats && descriptor.reception == Reception::by_series) {
        request = &descriptor.series;
        kind = first.call == IoCall::accept ? Request::Kind::accept : Request::Kind::receive;
    } else if (is_for_writing(first.call)) {
        request = &descriptor.write_poll;
        kind = Request::Kind::write_poll;
    }
    if (*request == nullptr) *request = ask(descriptor, kind);
    if (*request != nullptr) return true;
    check_later(descriptor);
    return !ring_;  // the next wait opens one
}

void UringBackend::next_in_line(Descriptor& descriptor, DescriptorLine& direction) noexcept {
    if (!direction.line.empty() && !direction.line.front().reported) arm(descriptor, direction.line.front());
}

void UringBackend::check_later(Descriptor& descriptor) noexcept {
    if (!descriptor.is_linked()) to_check_.push_back(descriptor);
}

void UringBackend::abandon(Descriptor& descriptor) noexcept {
    call_off(descriptor.watching);
    call_off(descriptor.read_poll);
    call_off(descriptor.write_poll);
    drop_series(descriptor);
    reports_.close(descriptor.reading);
    reports_.close(descriptor.writing);
    descriptor.watched = 0;
    descriptor.serial = 0;
}

// Operations.

/// Whether the call may be made. Not while a series might bring what comes before.
bool UringBackend::may_perform(const IoOperation& operation, const Descriptor& descriptor) noexcept {
    return !operation.repeats || descriptor.series == nullptr;
}

bool UringBackend::submit(IoOperation& operation) noexcept {
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    operation.reported = operation.closed = operation.begun = false;
    Descriptor* descriptor = find(operation.descriptor);
    bool others_wait = descriptor != nullptr && descriptor->direction(operation.call).must_wait(operation);
    if (operation.at_once && !others_wait) {
        if (descriptor != nullptr && take(operation, *descriptor)) return true;
        if ((descriptor == nullptr || may_perform(operation, *descriptor)) && perform(operation)) return true;
    }
    return !park(operation);
}

/// False: it cannot be waited for, and is over with an error.
bool UringBackend::park(IoOperation& operation) noexcept {
    int fd = operation.descriptor.fd;
    operation.result = -EBADF;
    if (fd < 0) return false;
    Descriptor* descriptor = table_.find(fd);
    if (descriptor == nullptr) {
        operation.result = -ENOMEM;
        try {
            descriptor = &table_.make(fd);
        } catch (...) {
            return false;
        }
        descriptor->fd = fd;
    }
    if (descriptor->serial != operation.descriptor.serial) {
        // The number has another owner than when we last heard of it. A file that is watched may be the same.
        FileIdentity file;
        bool is_same = descriptor->watched != 0 && file_watch_.look(fd, file) == 0 && file == descriptor->watched_file;
        if (!is_same) abandon(*descriptor);
        descriptor->serial = operation.descriptor.serial;
    }
    DescriptorLine& direction = descriptor->direction(operation.call);
    direction.ready = true;  // who is first has been told so, or asks the kernel
    direction.add(operation);
    if (&direction.line.front() != &operation || arm(*descriptor, operation)) return true;
    operation.ListHook<IoLine>::unlink();
    next_in_line(*descriptor, direction);
    operation.result = -ENOMEM;
    return false;
}

bool UringBackend::collect(IoOperation& operation) noexcept {
    if (operation.closed) {
        operation.ListHook<IoLine>::unlink();
        return true;
    }
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    Descriptor& descriptor = *table_.find(operation.descriptor.fd);  // its serial number may be a newer one
    bool over = take(operation, descriptor);
    if (!over && (!operation.repeats || descriptor.reception != Reception::by_series)) {
        over = may_perform(operation, descriptor) && perform(operation);
        if (over && descriptor.reception == Reception::once_by_call) descriptor.reception = Reception::by_series;
    }
    if (!over) {
        operation.reported = false;
        arm(descriptor, operation);
        return false;
    }
    operation.ListHook<IoLine>::unlink();
    if (operation.repeats) check_later(descriptor);
    next_in_line(descriptor, descriptor.direction(operation.call));
    return true;
}

void UringBackend::cancel(IoOperation& operation) noexcept {
    operation.ListHook<IoLine>::unlink();
    if (operation.closed) return;
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    Descriptor& descriptor = *table_.find(operation.descriptor.fd);  // its serial number may be a newer one
    check_later(descriptor);
    next_in_line(descriptor, descriptor.direction(operation.call));
}

void UringBackend::closing(IoDescriptor which) noexcept {
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    Descriptor* descriptor = find(which);
    if (descriptor == nullptr) return;
    bool under_way = descriptor->watching != nullptr || descriptor->read_poll != nullptr ||
                     descriptor->write_poll != nullptr || descriptor->series != nullptr;
    abandon(*descriptor);
    if (under_way) ring_->submit();  // the kernel's requests would hold the file open
}

void UringBackend::watch(int fd, bool readable, bool writable) {
    if (fd < 0) throw ValueError("Invalid file descriptor: " + std::to_string(fd));
    if (ring_is_parents_) [[unlikely]]
        forget_parents_ring();
    Descriptor* descriptor = table_.find(fd);
    if (!readable && !writable) {
        if (descriptor == nullptr) return;
        descriptor->watched = 0;
        call_off(descriptor->watching);
        return;
    }
    FileIdentity file;
    if (int error = file_watch_.look(fd, file)) {
        if (descriptor != nullptr) abandon(*descriptor);
        throw_os_error(error);
    }
    auto wanted = static_cast<std::uint8_t>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    if (descriptor == nullptr) descriptor = &table_.make(fd);
    bool is_another = descriptor->watched != 0 && file != descriptor->watched_file;
    bool is_more = is_another || (wanted & ~descriptor->watched) != 0;
    if (is_more) {  // what is under way may be of a file that was closed
        std::unique_ptr<Request>& spare = spare_of(*descriptor, Request::Kind::watch);
        if (!spare) spare = std::make_unique<Request>();
        if (is_another) abandon(*descriptor);
        call_off(descriptor->watching);
    }
    if (descriptor->serial == 0) descriptor->serial = next_descriptor_serial();
    descriptor->fd = fd;
    descriptor->watched_file = file;
    descriptor->watched = wanted;
    check_later(*descriptor);
}

// In a forked child.

void UringBackend::after_fork_in_child() noexcept {
    if (ring_ && !ring_is_parents_) ring_->after_fork();
    ring_is_parents_ = ring_.has_value();
    wake_up_.after_fork();
    file_watch_.close();
}

/// What there is of it stays. The next wait opens a ring, and asks again.
void UringBackend::forget_parents_ring() noexcept {
    ring_is_parents_ = some_must_be_cancelled_ = false;
    waking_ = nullptr;
    table_.for_each([this](int, Descriptor& descriptor) {
        bool was_receiving = descriptor.series != nullptr && descriptor.series->kind == Request::Kind::receive;
        descriptor.watching = descriptor.read_poll = descriptor.write_poll = descriptor.series = nullptr;
        bool all_kept = keep_chunks(descriptor);
        while (descriptor.first_chunk != Chunk::none) give_back_first(descriptor);
        close_accepted(descriptor);  // the parent has them, and serves them
        if (!descriptor.ended && descriptor.error == 0 && (was_receiving || !all_kept)) descriptor.error = ECONNABORTED;
        check_later(descriptor);
    });
    while (!requests_.empty()) delete &requests_.front();
    ring_.reset();
}

}  // namespace asyncio::detail
