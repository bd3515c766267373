#include "os/uring_backend.h"

#include "os/io_calls.h"

#include <asyncio/errors/os_errors.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

bool takes_from_series(IoCall call) noexcept { return call == IoCall::receive || call == IoCall::accept; }

}  // namespace

UringBackend::UringBackend() {
    if (int error = wake_up_.open()) throw_os_error(error);
}

UringBackend::~UringBackend() {
    table_.for_each([this](int, Descriptor& descriptor) {
        Reports::orphan(descriptor.reading);
        Reports::orphan(descriptor.writing);
        abandon(descriptor);
    });
    if (waking_ != nullptr) call_off(waking_);
    // Only when the kernel has ended all that it was asked for may the buffers go.
    while (!requests_.empty()) {
        ring_.cancel_everything();
        ring_.enter(std::chrono::milliseconds(10));
        std::vector<IoEvent> unused;
        ring_.take_completions([&](const io_uring_cqe& completion) { note_completion(completion, unused); });
    }
}

UringBackend::Descriptor* UringBackend::find(IoDescriptor which) noexcept {
    Descriptor* descriptor = table_.find(which.fd);
    return descriptor != nullptr && descriptor->serial == which.serial ? descriptor : nullptr;
}

// What the kernel is asked for.

/// Null if there is no memory.
UringBackend::Request* UringBackend::ask(Descriptor& descriptor, Request::Kind kind) noexcept {
    Request* request = nullptr;
    try {
        request = new Request;
    } catch (...) {
        return nullptr;
    }
    request->kind = kind;
    request->descriptor = &descriptor;
    requests_.push_back(*request);
    auto user_data = reinterpret_cast<std::uint64_t>(request);
    switch (kind) {
        case Request::Kind::wake:
            ring_.poll(wake_up_.fd(), POLLIN, user_data);
            break;
        case Request::Kind::watch:
            ring_.poll(descriptor.fd, descriptor.watched, user_data);
            break;
        case Request::Kind::read_poll:
            ring_.poll(descriptor.fd, POLLIN | POLLRDHUP | POLLPRI, user_data);
            break;
        case Request::Kind::write_poll:
            ring_.poll(descriptor.fd, POLLOUT, user_data);
            break;
        case Request::Kind::receive:
            ring_.receive_all(descriptor.fd, user_data);
            break;
        case Request::Kind::accept:
            ring_.accept_all(descriptor.fd, user_data);
            break;
    }
    return request;
}

/// Nobody is interested any more. Its last completion ends it.
void UringBackend::call_off(Request*& request) noexcept {
    if (request == nullptr) return;
    if (!request->called_off) ring_.cancel(reinterpret_cast<std::uint64_t>(request));
    request->called_off = true;
    request->descriptor = nullptr;
    request = nullptr;
}

/// Sees to it that the first in a line is named when there is something for it.
void UringBackend::arm(Descriptor& descriptor, const IoOperation& first) noexcept {
    if (takes_from_series(first.call) && descriptor.has_something()) {
        reports_.add_first(descriptor.reading);
        return;
    }
    bool asked = true;
    if (first.repeats) {
        auto kind = first.call == IoCall::accept ? Request::Kind::accept : Request::Kind::receive;
        if (descriptor.series == nullptr) asked = (descriptor.series = ask(descriptor, kind)) != nullptr;
    } else if (is_for_writing(first.call)) {
        if (descriptor.write_poll == nullptr) {
            asked = (descriptor.write_poll = ask(descriptor, Request::Kind::write_poll)) != nullptr;
        }
    } else if (descriptor.read_poll == nullptr) {
        asked = (descriptor.read_poll = ask(descriptor, Request::Kind::read_poll)) != nullptr;
    }
    if (!asked) check_later(descriptor);
}

void UringBackend::next_in_line(Descriptor& descriptor, DescriptorLine& direction) noexcept {
    if (!direction.line.empty() && !direction.line.front().reported) arm(descriptor, direction.line.front());
}

void UringBackend::check_later(Descriptor& descriptor) noexcept {
    if (std::exchange(descriptor.to_be_checked, true)) return;
    to_check_.push_back(&descriptor);
}

/// Before a wait: what the callbacks since the last have left of what it brought.
void UringBackend::check(Descriptor& descriptor) noexcept {
    descriptor.to_be_checked = false;
    keep_chunks(descriptor);
    if (descriptor.watched != 0 && descriptor.watching == nullptr) {
        descriptor.watching = ask(descriptor, Request::Kind::watch);
    }
    bool goes_on = !descriptor.reading.line.empty() && descriptor.reading.line.front().repeats;
    Request* series = descriptor.series;
    if (series != nullptr && !goes_on && !std::exchange(series->called_off, true)) {
        ring_.cancel(reinterpret_cast<std::uint64_t>(series));  // what it brings until it ends is kept
    }
    next_in_line(descriptor, descriptor.reading);
    next_in_line(descriptor, descriptor.writing);
}

/// Our buffers are for the kernel, not for who reads slowly.
void UringBackend::keep_chunks(Descriptor& descriptor) {
    if (descriptor.chunks.empty()) return;
    descriptor.kept.erase(0, std::exchange(descriptor.kept_begin, 0));
    for (const Chunk& chunk : descriptor.chunks) {
        descriptor.kept.append(ring_.buffer(chunk.buffer) + chunk.begin, chunk.end - chunk.begin);
        ring_.give_back(chunk.buffer);
    }
    descriptor.chunks.clear();
}

void UringBackend::drop_series(Descriptor& descriptor) noexcept {
    call_off(descriptor.series);
    for (const Chunk& chunk : descriptor.chunks) ring_.give_back(chunk.buffer);
    for (int fd : descriptor.accepted) ::close(fd);
    descriptor.chunks.clear();
    descriptor.accepted.clear();
    descriptor.kept = {};
    descriptor.kept_begin = 0;
    descriptor.ended = false;
    descriptor.error = 0;
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

bool UringBackend::submit(IoOperation& operation) noexcept {
    operation.reported = operation.closed = operation.begun = false;
    Descriptor* descriptor = find(operation.descriptor);
    bool others_wait = descriptor != nullptr && !descriptor->direction(operation.call).line.empty();
    if (operation.at_once && !others_wait) {
        if (descriptor != nullptr && take(operation, *descriptor)) return true;
        bool comes_by_itself = operation.repeats && descriptor != nullptr && descriptor->series != nullptr &&
                               !descriptor->series->called_off;
        if (!comes_by_itself && perform(operation)) return true;
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
        struct stat file = {};
        bool is_same = descriptor->watched != 0 && ::fstat(fd, &file) == 0 && file.st_ino == descriptor->inode &&
                       file.st_dev == descriptor->device;
        if (!is_same) abandon(*descriptor);
        descriptor->serial = operation.descriptor.serial;
    }
    DescriptorLine& direction = descriptor->direction(operation.call);
    direction.ready = true;  // who is first has been told so, or asks the kernel
    direction.line.push_back(operation);
    if (&direction.line.front() == &operation) arm(*descriptor, operation);
    return true;
}

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
        bool known =
            operation.address != nullptr && ::getpeername(fd, static_cast<sockaddr*>(operation.address), &room) == 0;
        operation.address_size = known ? room : 0;
        return true;
    }
    if (!takes_from_series(operation.call) || (descriptor.error == 0 && !descriptor.ended)) return false;
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
    std::size_t used = 0;
    for (Chunk& chunk : descriptor.chunks) {
        if (room == 0) break;
        size = std::min<std::size_t>(room, chunk.end - chunk.begin);
        std::memcpy(to, ring_.buffer(chunk.buffer) + chunk.begin, size);
        to += size;
        room -= size;
        chunk.begin += static_cast<unsigned>(size);
        if (chunk.begin < chunk.end) break;
        ring_.give_back(chunk.buffer);
        ++used;
    }
    descriptor.chunks.erase(descriptor.chunks.begin(), descriptor.chunks.begin() + static_cast<std::ptrdiff_t>(used));
    operation.result = static_cast<std::int64_t>(operation.size - room);
}

bool UringBackend::collect(IoOperation& operation) noexcept {
    if (operation.closed) return true;
    Descriptor& descriptor = *table_.find(operation.descriptor.fd);  // its serial number may be a newer one
    bool over = take(operation, descriptor) || (!operation.repeats && perform(operation));
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
    if (operation.closed) return;
    Descriptor& descriptor = *table_.find(operation.descriptor.fd);  // its serial number may be a newer one
    operation.ListHook<IoLine>::unlink();
    if (operation.repeats) check_later(descriptor);
    next_in_line(descriptor, descriptor.direction(operation.call));
}

void UringBackend::closing(IoDescriptor which) noexcept {
    Descriptor* descriptor = find(which);
    if (descriptor == nullptr) return;
    bool under_way = descriptor->watching != nullptr || descriptor->read_poll != nullptr ||
                     descriptor->write_poll != nullptr || descriptor->series != nullptr;
    abandon(*descriptor);
    if (under_way) ring_.submit();  // the kernel's requests would hold the file open
}

void UringBackend::watch(int fd, bool readable, bool writable) {
    if (fd < 0) throw ValueError("Invalid file descriptor: " + std::to_string(fd));
    Descriptor* descriptor = table_.find(fd);
    if (!readable && !writable) {
        if (descriptor == nullptr) return;
        descriptor->watched = 0;
        call_off(descriptor->watching);
        return;
    }
    struct stat file = {};
    int error = ::fstat(fd, &file) != 0 ? errno : 0;
    if (error == 0 && (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))) error = EPERM;  // as epoll says
    if (error != 0) {
        if (descriptor != nullptr) abandon(*descriptor);
        throw_os_error(error);
    }
    if (descriptor == nullptr) descriptor = &table_.make(fd);
    bool is_another =
        descriptor->watched != 0 && (file.st_ino != descriptor->inode || file.st_dev != descriptor->device);
    if (is_another) abandon(*descriptor);
    if (descriptor->serial == 0) descriptor->serial = next_descriptor_serial();
    call_off(descriptor->watching);  // it may be of a file that was closed
    descriptor->fd = fd;
    descriptor->device = file.st_dev;
    descriptor->inode = file.st_ino;
    descriptor->watched = static_cast<std::uint8_t>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    check_later(*descriptor);
}

// Waiting.

void UringBackend::wait(std::optional<nanoseconds> timeout, std::vector<IoEvent>& events) {
    checking_.swap(to_check_);
    for (Descriptor* descriptor : checking_) check(*descriptor);
    checking_.clear();
    bool may_sleep = reports_.empty() && (!timeout || timeout->count() > 0);
    reports_.move_to(events);
    bool sleeps = may_sleep && wake_up_.fall_asleep();
    if (!sleeps) {
        if (!may_sleep) wake_up_.look();
        timeout = nanoseconds(0);
    } else if (waking_ == nullptr) {
        waking_ = ask(no_descriptor_, Request::Kind::wake);
    }
    int error = ring_.enter(timeout);
    if (sleeps) wake_up_.awake();
    ring_.take_completions([&](const io_uring_cqe& completion) { note_completion(completion, events); });
    if (error != 0 && error != EINTR && error != EAGAIN && error != EBUSY) throw_os_error(error);
}

void UringBackend::note_completion(const io_uring_cqe& completion, std::vector<IoEvent>& events) {
    if (completion.user_data == 0) return;
    Request& request = *reinterpret_cast<Request*>(completion.user_data);
    bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
    Descriptor* descriptor = request.descriptor;
    Request::Kind kind = request.kind;
    if (descriptor == nullptr) {
        if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
            ring_.give_back(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        } else if (kind == Request::Kind::accept && completion.res >= 0) {
            ::close(completion.res);
        }
    } else if (kind == Request::Kind::receive || kind == Request::Kind::accept) {
        note_series(request, completion);
        if (!goes_on) descriptor->series = nullptr;
    }
    if (!goes_on) delete &request;
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
    unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
    int result = completion.res;
    if (request.kind == Request::Kind::accept) {
        if (result >= 0) descriptor.accepted.push_back(result);
    } else if (result > 0 && in_our_buffer) {
        descriptor.chunks.push_back({buffer, 0, static_cast<unsigned>(result)});
    } else {
        if (in_our_buffer) ring_.give_back(buffer);
        if (result == 0) descriptor.ended = true;
    }
    // Out of buffers, or called off: the next check asks again if somebody waits.
    if (result < 0 && result != -ENOBUFS && result != -ECANCELED && result != -EAGAIN) descriptor.error = -result;
}

}  // namespace asyncio::detail
