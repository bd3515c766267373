// LoopCore: handles, file descriptors and signals.
#include "loop/loop_core.h"

#include <utility>

namespace asyncio::detail {

namespace {

/// A signal that came again before its callback could run: the callback runs once for each.
class SignalAgain final : public Message {
public:
    explicit SignalAgain(Ref<HandleBase> handle) noexcept : handle_(std::move(handle)) {}
    void deliver() override { handle_.release()->run_turn(); }  // it may be queued itself

private:
    Ref<HandleBase> handle_;
};

}  // namespace

void LoopCore::add_ready_handle(HandleBase& handle) noexcept {
    ++handle.references_;
    handle.queued_ = true;
    push_ready(handle);
}

void call_soon(LoopCore& loop, HandleBase& handle, ContextRef context) {
    if (loop.closed_ || loop.debug) [[unlikely]]
        loop.check_may_call(handle);
    loop.set_context(handle, context);
    loop.add_ready_handle(handle);
}

void call_soon_threadsafe(LoopCore& loop, HandleBase& handle, ContextRef context) {
    handle.context_ = context ? ContextSlot::share(context.get()) : ContextSlot::copy_current();
    handle.is_shared_ = true;
    handle.references_ = 2;
    handle.queued_ = true;
    if (loop.inbox_->post(handle)) return;
    delete &handle;
    loop.check_closed();
}

void LoopCore::check_may_call(HandleBase& handle) const {
    auto owned = Ref<HandleBase>::adopt(&handle);
    check_closed();
    check_thread();
    static_cast<void>(owned.release());
}

void LoopCore::call_at(TimePoint when, TimedHandleBase& handle, ContextRef context) {
    check_open(*this);
    set_context(handle, context);
    handle.is_timer_ = true;
    handle.when_ = when;
    add_timer(when, handle);
    handle.inc_ref();
    handle.queued_ = true;
}

void LoopCore::forget_handle(HandleBase& handle) noexcept {
    remove_timer(handle);
    handle.unlink();
}

void LoopCore::set_user(int fd, const LoopResource* user) {
    auto index = static_cast<std::size_t>(fd);
    if (index >= users_.size()) users_.resize(index + 1);
    users_[index] = user;
}

void LoopCore::check_has_no_user(int fd) const {
    auto index = static_cast<std::size_t>(fd);
    if (index >= users_.size() || users_[index] == nullptr) return;
    throw RuntimeError("File descriptor " + std::to_string(fd) + " is used by transport " + users_[index]->repr());
}

void LoopCore::watch(int fd, bool for_writing, Ref<HandleBase> handle) {
    check_open(*this);
    check_has_no_user(fd);
    auto [entry, is_new] = watches_.try_emplace(fd);
    FdWatch& watch = entry->second;
    Ref<HandleBase>& place = for_writing ? watch.writer : watch.reader;
    handle->stays_ = true;
    try {
        io_->watch(fd, watch.reader || !for_writing, watch.writer || for_writing);
    } catch (...) {
        if (is_new) watches_.erase(entry);
        throw;
    }
    Ref<HandleBase> former = std::exchange(place, std::move(handle));
    if (former) former->cancel();  // last: what it held may come back here as it dies
}

bool LoopCore::unwatch(int fd, bool for_writing) {
    if (closed_) return false;
    check_has_no_user(fd);
    return drop_watch(fd, for_writing);
}

/// Also where a transport has taken the descriptor since.
bool LoopCore::drop_watch(int fd, bool for_writing) {
    auto entry = watches_.find(fd);
    if (entry == watches_.end()) return false;
    FdWatch& watch = entry->second;
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
    io_->watch(fd, reader, writer);
    return true;
}

void LoopCore::dispatch(const IoEvent& event) {
    if (event.operation != nullptr) return push_ready(*event.operation);
    auto entry = watches_.find(event.fd);
    if (entry == watches_.end()) return stop_watching_again(event.fd, {});
    Ref<HandleBase> reader = event.readable ? entry->second.reader : nullptr;
    Ref<HandleBase> writer = event.writable ? entry->second.writer : nullptr;
    if (!reader && !writer) return stop_watching_again(event.fd, entry->second);
    if (reader) add_ready_watch(event.fd, false, *reader);
    if (writer) add_ready_watch(event.fd, true, *writer);
}

/// It was refused when it was to stop; named by every wait, the loop would spin.
void LoopCore::stop_watching_again(int fd, const FdWatch& watch) noexcept {
    try {
        io_->watch(fd, static_cast<bool>(watch.reader), static_cast<bool>(watch.writer));
    } catch (...) {
    }
}

/// Watches no longer if the handle was cancelled.
void LoopCore::add_ready_watch(int fd, bool for_writing, HandleBase& handle) {
    if (handle.cancelled()) drop_watch(fd, for_writing);
    // A cancelled one goes in its turn, too: what it still holds must not die while events are being told.
    if (!handle.queued_) add_ready_handle(handle);
}

void LoopCore::add_signal(int signum, Ref<HandleBase> handle) {
    SignalPipe::check(signum);
    check_open(*this);
    if (!signals_) {
        auto signals = std::make_unique<SignalPipe>();
        auto read_signals = [this] { signals_->drain([this](int arrived) { signal_arrived(arrived); }); };
        watch(signals->fd(), false, Ref<HandleBase>::adopt(new HandleOf<decltype(read_signals)>(*this, read_signals)));
        signals_ = std::move(signals);
    }
    auto [place, is_new] = signal_handles_.try_emplace(signum);
    try {
        signals_->add(signum);
    } catch (...) {
        if (is_new) signal_handles_.erase(place);
        throw;
    }
    handle->stays_ = true;
    Ref<HandleBase> former = std::exchange(place->second, std::move(handle));
}

void LoopCore::signal_arrived(int signum) {
    auto entry = signal_handles_.find(signum);
    if (entry == signal_handles_.end()) return;
    Ref<HandleBase> handle = entry->second;
    if (handle->cancelled()) {
        remove_signal(signum);
    } else if (handle->queued_) {
        try {
            push_ready(*new SignalAgain(handle));
        } catch (const std::bad_alloc&) {  // called once for both, as signals are; and the others must be told yet
            report({.exception = std::current_exception(), .handle = Handle(std::move(handle))});
        }
    } else {
        add_ready_handle(*handle);
    }
}

bool LoopCore::remove_signal(int signum) {
    SignalPipe::check(signum);
    if (!signals_ || !signals_->remove(signum)) return false;
    // What arrived already is still told, as in Python. It dies last: what it held may come back here.
    auto removed = signal_handles_.extract(signum);
    return true;
}

}  // namespace asyncio::detail
