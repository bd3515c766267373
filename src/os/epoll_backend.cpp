#include "os/epoll_backend.h"

#include "os/io_calls.h"

#include <asyncio/errors/os_errors.h>

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>

namespace asyncio::detail {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint32_t reading_events = EPOLLIN | EPOLLRDHUP | EPOLLPRI;
constexpr std::uint32_t edges = EPOLLET;
constexpr int too_many_stale_events = 100;
constexpr std::size_t most_per_event = 3;  // who watches, who reads and who writes

/// Whether there is room for a datagram may depend on whom it is for, which no edge tells.
bool depends_on_address(IoCall call) noexcept { return call == IoCall::send_to || call == IoCall::send_many; }

}  // namespace

EpollBackend::EpollBackend(Precision best) noexcept : queue_(best) {}

EpollBackend::~EpollBackend() {
    reports_.orphan_closed();
    table_.for_each([](int, Descriptor& descriptor) {
        Reports::orphan(descriptor.reading.line);
        Reports::orphan(descriptor.writing.line);
    });
    if (!follows_forks_) return;
    NoFork until_all_is_closed;
    end_to_follow_forks(until_all_is_closed);
    wake_up_.close();
    queue_.close();
}

/// Returns an errno.
int EpollBackend::open() noexcept {
    if (queue_.is_open()) return 0;
    if (int error = queue_.make_room_for(1)) return error;
    if (int error = open_descriptors()) return error;
    if (must_register_all_) register_all();
    return 0;
}

int EpollBackend::open_descriptors() noexcept {
    NoFork until_all_is_noted;
    if (!std::exchange(follows_forks_, true)) begin_to_follow_forks(until_all_is_noted);
    if (int error = wake_up_.open()) return error;
    return queue_.open(wake_up_.fd());
}

// What the kernel is told.

std::uint32_t EpollBackend::wanted(Descriptor& descriptor) noexcept {
    std::uint32_t writing = descriptor.writing.line.empty() ? 0u : std::uint32_t{EPOLLOUT};
    if (descriptor.watched != 0) {
        std::uint32_t reading = descriptor.reading.line.empty() ? 0u : std::uint32_t{EPOLLIN};
        return descriptor.watched | reading | writing;
    }
    // Not to write before it is needed: a unix socket would give an edge for all that its peer reads.
    return edges | reading_events | writing | (descriptor.registered & EPOLLOUT);
}

bool EpollBackend::set_registered(int fd, Descriptor& descriptor, int operation, std::uint32_t events) noexcept {
    std::uint32_t serial = descriptor.serial;
    int error = open();
    if (error == 0 && descriptor.serial != serial) error = ENOMEM;  // a forked child could not register it anew
    if (error != 0) {
        errno = error;
        return false;
    }
    if (!queue_.control(operation, fd, descriptor.serial, events)) return false;
    registered_ += static_cast<std::size_t>(events != 0) - static_cast<std::size_t>(descriptor.registered != 0);
    descriptor.registered = events;
    queue_.make_room_for(registered_ + 1);
    return true;
}

/// Sees to it that the kernel tells of all that somebody waits for. `again`: of what it has told already, too.
bool EpollBackend::arm(int fd, Descriptor& descriptor, bool again) noexcept {
    std::uint32_t events = wanted(descriptor);
    if (!again && events == descriptor.registered) return true;
    if (set_registered(fd, descriptor, descriptor.registered != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, events)) return true;
    // Closed or left behind our back: the kernel knows less, or more, than we think.
    if (errno == ENOENT) return set_registered(fd, descriptor, EPOLL_CTL_ADD, events);
    if (errno == EEXIST) return set_registered(fd, descriptor, EPOLL_CTL_MOD, events);
    return false;
}

/// The kernel does not know it any more, or what it knows is no concern of ours.
void EpollBackend::abandon(Descriptor& descriptor) noexcept {
    reports_.close(descriptor.reading);
    reports_.close(descriptor.writing);
    if (descriptor.registered != 0) --registered_;
    descriptor.registered = 0;
    descriptor.watched = 0;
    descriptor.read_to_end = false;
    descriptor.serial = 0;
}

/// The number has another owner than when we last heard of it. The same file, under another name, or another file?
bool EpollBackend::adopt(IoDescriptor which, Descriptor& descriptor) noexcept {
    if (descriptor.registered != 0) {
        std::uint32_t former = std::exchange(descriptor.serial, which.serial);
        if (set_registered(which.fd, descriptor, EPOLL_CTL_MOD, descriptor.registered)) return true;
        if (errno != ENOENT) {
            descriptor.serial = former;
            return false;
        }
    }
    abandon(descriptor);
    descriptor.serial = which.serial;
    return true;
}

void EpollBackend::start_anew() noexcept {
    {
        NoFork until_it_is_noted;
        if (!queue_.renew(wake_up_.fd())) return;  // it goes on with stale ones, for a while
    }
    register_all();
}

void EpollBackend::register_all() noexcept {
    must_register_all_ = false;
    table_.for_each([this](int fd, Descriptor& descriptor) {
        if (descriptor.registered == 0) return;
        if (!set_registered(fd, descriptor, EPOLL_CTL_ADD, descriptor.registered)) abandon(descriptor);
    });
}

void EpollBackend::after_fork_in_child() noexcept {
    wake_up_.after_fork();
    if (!queue_.is_open()) return;
    queue_.close();
    must_register_all_ = true;
}

// Operations.

bool EpollBackend::submit(IoOperation& operation) noexcept {
    operation.reported = operation.closed = operation.begun = false;
    Descriptor* descriptor = table_.find(operation.descriptor.fd);
    if (descriptor != nullptr && descriptor->serial != operation.descriptor.serial) descriptor = nullptr;
    DescriptorLine* direction = descriptor != nullptr ? &descriptor->direction(operation.call) : nullptr;
    if (operation.at_once && (direction == nullptr || !direction->must_wait(operation))) {
        if (perform(operation)) {
            if (descriptor != nullptr) note_outcome(operation, *descriptor);
            return true;
        }
        if (direction != nullptr) direction->ready = false;
    }
    return !park(operation);
}

/// False: it cannot be waited for, and is over with an error.
bool EpollBackend::park(IoOperation& operation) noexcept {
    int fd = operation.descriptor.fd;
    Descriptor* descriptor = table_.find(fd);
    int error = fd < 0 ? EBADF : 0;
    if (descriptor == nullptr && error == 0) {
        try {
            descriptor = &table_.make(fd);
        } catch (...) {
            error = ENOMEM;
        }
    }
    bool is_another = error == 0 && descriptor->serial != operation.descriptor.serial;
    if (is_another && !adopt(operation.descriptor, *descriptor)) error = errno;
    if (error == 0) {
        DescriptorLine& direction = descriptor->direction(operation.call);
        direction.add(operation);
        if (arm(fd, *descriptor, must_be_told_again(operation, direction))) {
            reports_.add_first(direction);
            return true;
        }
        error = errno;
        operation.ListHook<IoLine>::unlink();
        operation.ReadyNode::unlink();  // it may have been closed with the others
        operation.reported = operation.closed = false;
    }
    operation.result = -error;
    return false;
}

/// Whether an edge that was there may be the one to wait for: for a datagram there was no room; and a connection that
/// could not be accepted waits still, if there was one: the kernel looks for a free number first.
bool EpollBackend::must_be_told_again(const IoOperation& operation, const DescriptorLine& direction) noexcept {
    if (depends_on_address(operation.call)) return true;
    return operation.call == IoCall::accept && !operation.at_once && !direction.ready;
}

void EpollBackend::note_outcome(const IoOperation& operation, Descriptor& descriptor) noexcept {
    if (operation.call == IoCall::receive) {
        if (operation.emptied && !descriptor.read_to_end) descriptor.reading.ready = false;
    } else if (lacked_means_to_accept(operation) && descriptor.reading.line.empty()) {
        descriptor.reading.ready = false;
    } else if (was_cut_short(operation)) {
        descriptor.writing.ready = false;
    }
}

bool EpollBackend::collect(IoOperation& operation) noexcept {
    if (operation.closed) {
        operation.ListHook<IoLine>::unlink();
        return true;
    }
    Descriptor& descriptor = *table_.find(operation.descriptor.fd);
    DescriptorLine& direction = descriptor.direction(operation.call);
    if (!perform(operation)) {
        direction.ready = false;
        operation.reported = false;
        if (depends_on_address(operation.call)) arm(operation.descriptor.fd, descriptor, true);
        return false;
    }
    operation.ListHook<IoLine>::unlink();
    note_outcome(operation, descriptor);
    reports_.add_first(direction);
    return true;
}

void EpollBackend::cancel(IoOperation& operation) noexcept {
    operation.ListHook<IoLine>::unlink();
    if (operation.closed) return;
    if (operation.reported) reports_.add_first(table_.find(operation.descriptor.fd)->direction(operation.call));
}

void EpollBackend::closing(IoDescriptor which) noexcept {
    Descriptor* descriptor = table_.find(which.fd);
    if (descriptor == nullptr || descriptor->serial != which.serial) return;
    // The kernel forgets a file that is closed. If it is not, because it is open elsewhere too, edges do no harm.
    bool is_level_triggered = descriptor->registered != 0 && (descriptor->registered & edges) == 0;
    if (is_level_triggered) set_registered(which.fd, *descriptor, EPOLL_CTL_DEL, 0);
    abandon(*descriptor);
}

void EpollBackend::watch(int fd, bool readable, bool writable) {
    if (fd < 0) throw ValueError("Invalid file descriptor: " + std::to_string(fd));
    Descriptor* descriptor = table_.find(fd);
    if (!readable && !writable) {
        if (descriptor != nullptr && descriptor->watched != 0) forget(fd, *descriptor);
        return;
    }
    if (descriptor == nullptr) {
        if (::fcntl(fd, F_GETFD) < 0) throw_os_error(errno);  // no table of gigabytes for a wild number
        descriptor = &table_.make(fd);
    }
    if (descriptor->registered == 0) descriptor->serial = next_descriptor_serial();
    descriptor->watched = static_cast<std::uint8_t>((readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u));
    bool is_new = descriptor->registered == 0;
    bool registered = false;
    if (!is_new) {
        registered = set_registered(fd, *descriptor, EPOLL_CTL_MOD, wanted(*descriptor));
        if (!registered && errno == ENOENT) {
            // Closed behind our back: now the number means another file than when we last heard of it.
            std::uint8_t watched = descriptor->watched;
            abandon(*descriptor);
            descriptor->serial = next_descriptor_serial();
            descriptor->watched = watched;
            is_new = true;
        }
    }
    if (registered || (is_new && arm(fd, *descriptor))) return;
    int error = errno;
    forget(fd, *descriptor);
    throw_os_error(error);
}

void EpollBackend::forget(int fd, Descriptor& descriptor) noexcept {
    descriptor.watched = 0;
    bool somebody_waits = !descriptor.reading.line.empty() || !descriptor.writing.line.empty();
    if (somebody_waits && arm(fd, descriptor)) return;
    if (descriptor.registered != 0) set_registered(fd, descriptor, EPOLL_CTL_DEL, 0);  // fails if closed: forgotten
    abandon(descriptor);
}

// Waiting.

void EpollBackend::wait(std::optional<nanoseconds> timeout, std::vector<IoEvent>& events) {
    bool may_sleep = !wake_up_.look() && reports_.empty() && (!timeout || timeout->count() > 0);
    if (may_sleep || must_register_all_) {
        if (int error = open()) throw_os_error(error);
    }
    reports_.move_to(events);
    bool sleeps = may_sleep && wake_up_.fall_asleep();
    if (!sleeps) {
        if (registered_ == 0) return;  // only the eventfd could be ready, and it only ends sleeps
        timeout = nanoseconds(0);
    }
    int count = queue_.poll(timeout);
    int error = errno;
    if (sleeps) wake_up_.awake();
    if (count < 0) {
        if (error == EINTR || !events.empty()) return;  // what is named already must be heard of; the next wait throws
        throw_os_error(error);
    }
    bool all_fit = has_room(events, most_per_event * static_cast<std::size_t>(count));
    bool all_told = true;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        epoll_event event = queue_[i];
        if (all_fit || has_room(events, most_per_event) || EpollQueue::serial_of(event) == 0) {
            note_event(event, events);
        } else {
            have_told_again(event);
            all_told = false;
        }
    }
    if (!all_told) [[unlikely]]
        check_some_are_told(events);
    if (stale_events_ > too_many_stale_events) {
        stale_events_ = 0;
        start_anew();
    }
}

/// There is no memory to tell of it now.
void EpollBackend::have_told_again(const epoll_event& event) noexcept {
    int fd = EpollQueue::fd_of(event);
    Descriptor* descriptor = table_.find(fd);
    if (descriptor == nullptr || descriptor->serial != EpollQueue::serial_of(event) || descriptor->registered == 0)
        return;
    set_registered(fd, *descriptor, EPOLL_CTL_MOD, descriptor->registered);
}

void EpollBackend::note_event(const epoll_event& event, std::vector<IoEvent>& events) noexcept {
    int fd = EpollQueue::fd_of(event);
    std::uint32_t serial = EpollQueue::serial_of(event);
    if (serial == 0) return;  // the eventfd, which has done its work
    Descriptor* found = table_.find(fd);
    if (found == nullptr || found->serial != serial || found->registered == 0) {
        // A file that was closed under this number, but is open under another. The kernel lets us forget it no more.
        ++stale_events_;
        return;
    }
    stale_events_ = 0;
    Descriptor& descriptor = *found;
    // Neither in nor out is an error or a hang-up: both sides find it when they try.
    std::uint32_t seen = event.events;
    bool readable = (seen & ~std::uint32_t{EPOLLOUT}) != 0;
    bool writable = (seen & ~reading_events) != 0;
    if ((seen & ~std::uint32_t{EPOLLIN | EPOLLOUT}) != 0) descriptor.read_to_end = true;
    if (descriptor.watched != 0) {
        bool tell_reader = readable && (descriptor.watched & EPOLLIN) != 0;
        bool tell_writer = writable && (descriptor.watched & EPOLLOUT) != 0;
        if (tell_reader || tell_writer) events.push_back({fd, tell_reader, tell_writer});
    }
    auto tell = [&](DescriptorLine& direction) {
        direction.ready = true;
        if (direction.line.empty() || direction.line.front().reported) return;
        IoOperation& first = direction.line.front();
        first.reported = true;
        events.push_back({.operation = &first});
    };
    if (readable) tell(descriptor.reading);
    if (writable) tell(descriptor.writing);
    if (descriptor.watched != 0 && descriptor.registered != wanted(descriptor)) arm(fd, descriptor);
}

}  // namespace asyncio::detail
