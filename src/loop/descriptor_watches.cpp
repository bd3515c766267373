#include "loop/descriptor_watches.h"

#include "loop/loop_core.h"

#include <asyncio/errors/exceptions.h>

#include <utility>

namespace asyncio::detail {

void DescriptorWatches::set_user(int fd, const LoopResource* user) {
    auto index = static_cast<std::size_t>(fd);
    if (index >= users_.size()) users_.resize(index + 1);
    users_[index] = user;
}

void DescriptorWatches::check_has_no_user(int fd, const LoopResource* but) const {
    auto index = static_cast<std::size_t>(fd);
    if (index >= users_.size() || users_[index] == nullptr || users_[index] == but) return;
    throw RuntimeError("File descriptor " + std::to_string(fd) + " is used by transport " + users_[index]->repr());
}

bool DescriptorWatches::is_ready_too_often() noexcept {
    constexpr int most = 1000;
    if (std::exchange(pass_, loop_.passes()) != loop_.passes()) found_ready_ = 0;
    return ++found_ready_ > most;
}

void DescriptorWatches::watch(int fd, bool for_writing, Ref<HandleBase> handle, const LoopResource* user) {
    check_open(loop_);
    check_has_no_user(fd, user);
    auto [entry, is_new] = watches_.try_emplace(fd);
    Watch& watch = entry->second;
    Ref<HandleBase>& place = for_writing ? watch.writer : watch.reader;
    handle->set_stays();
    try {
        loop_.io().watch(fd, watch.reader || !for_writing, watch.writer || for_writing);
    } catch (...) {
        if (is_new) watches_.erase(entry);
        throw;
    }
    Ref<HandleBase> former = std::exchange(place, std::move(handle));
    if (former) former->cancel();  // last: what it held may come back here as it dies
}

bool DescriptorWatches::unwatch(int fd, bool for_writing, const LoopResource* user) {
    if (loop_.is_closed()) return false;
    check_has_no_user(fd, user);
    return drop(fd, for_writing);
}

/// Also where a transport has taken the descriptor since.
bool DescriptorWatches::drop(int fd, bool for_writing) {
    auto entry = watches_.find(fd);
    if (entry == watches_.end()) return false;
    Watch& watch = entry->second;
    Ref<HandleBase> removed = std::exchange(for_writing ? watch.writer : watch.reader, nullptr);
    if (!removed) return false;
    bool reader = static_cast<bool>(watch.reader);
    bool writer = static_cast<bool>(watch.writer);
    if (!reader && !writer) watches_.erase(entry);
    class CancelledInTheEnd {  // what it held may come back here as it dies
    public:
        explicit CancelledInTheEnd(HandleBase& handle) noexcept : handle_(handle) {}
        ~CancelledInTheEnd() { handle_.cancel(); }

    private:
        HandleBase& handle_;
    };
    CancelledInTheEnd last(*removed);
    loop_.io().watch(fd, reader, writer);
    return true;
}

void DescriptorWatches::dispatch(const IoEvent& event) noexcept {
    auto entry = watches_.find(event.fd);
    if (entry == watches_.end()) return stop_again(event.fd, {});
    Ref<HandleBase> reader = event.readable ? entry->second.reader : nullptr;
    Ref<HandleBase> writer = event.writable ? entry->second.writer : nullptr;
    if (!reader && !writer) return stop_again(event.fd, entry->second);
    if (reader) make_ready(event.fd, false, *reader);
    if (writer) make_ready(event.fd, true, *writer);
}

/// It was refused when it was to stop; named by every wait, the loop would spin.
void DescriptorWatches::stop_again(int fd, const Watch& watch) noexcept {
    try {
        loop_.io().watch(fd, static_cast<bool>(watch.reader), static_cast<bool>(watch.writer));
    } catch (...) {
    }
}

/// Watches no longer if the handle was cancelled.
void DescriptorWatches::make_ready(int fd, bool for_writing, HandleBase& handle) noexcept {
    try {
        if (handle.cancelled()) drop(fd, for_writing);
    } catch (...) {  // it is watched no longer all the same, and there are events yet to be told
    }
    // A cancelled one goes in its turn, too: what it still holds must not die while events are being told.
    if (!handle.is_queued()) loop_.add_ready_handle(handle);
}

/// Emptied aside: what the callbacks hold may come back here as it dies.
void DescriptorWatches::drop_all() noexcept {
    auto drop = [](Ref<HandleBase>& handle) {
        if (handle) handle.release()->drop_unrun();
    };
    for (auto& [fd, watch] : std::exchange(watches_, {})) {
        drop(watch.reader);
        drop(watch.writer);
    }
}

}  // namespace asyncio::detail
