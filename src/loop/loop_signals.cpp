#include "loop/loop_signals.h"

#include "loop/loop_core.h"

#include <new>
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

void LoopSignals::add(int signum, Ref<HandleBase> handle) {
    SignalPipe::check(signum);
    check_open(loop_);
    if (!pipe_) {
        auto pipe = std::make_unique<SignalPipe>();
        auto read = [this] { pipe_->drain([this](int signal) { arrived(signal); }); };
        loop_.descriptors().watch(pipe->fd(), false, Ref<HandleBase>::adopt(new HandleOf<decltype(read)>(loop_, read)));
        pipe_ = std::move(pipe);
    }
    auto [place, is_new] = handles_.try_emplace(signum);
    try {
        pipe_->add(signum);
    } catch (...) {
        if (is_new) handles_.erase(place);
        throw;
    }
    handle->set_stays();
    Ref<HandleBase> former = std::exchange(place->second, std::move(handle));
}

void LoopSignals::arrived(int signum) {
    auto entry = handles_.find(signum);
    if (entry == handles_.end()) return;
    Ref<HandleBase> handle = entry->second;
    if (handle->cancelled()) {
        remove(signum);
    } else if (handle->is_queued()) {
        try {
            loop_.push_ready(*new SignalAgain(handle));
        } catch (const std::bad_alloc&) {  // called once for both, as signals are; and the others must be told yet
            loop_.callback_lost(std::move(handle));
        }
    } else {
        loop_.add_ready_handle(*handle);
    }
}

bool LoopSignals::remove(int signum) {
    SignalPipe::check(signum);
    if (!pipe_ || !pipe_->remove(signum)) return false;
    // What arrived already is still told, as in Python. It dies last: what it held may come back here.
    auto removed = handles_.extract(signum);
    return true;
}

/// Emptied aside: what the callbacks hold may come back here as it dies.
void LoopSignals::drop_all() noexcept {
    for (auto& [signum, handle] : std::exchange(handles_, {})) handle.release()->drop_unrun();
    pipe_.reset();
}

void LoopSignals::set_sigint_watch(SigintWatch* watch, Function<void(int)> on_sigint) {
    sigint_ = watch;
    on_sigint_ = std::move(on_sigint);
    sigints_seen_ = 0;
}

void LoopSignals::tell_sigint() {
    int count = sigint_->count();
    while (sigints_seen_ < count) on_sigint_(++sigints_seen_);
    sigint_->acknowledge(sigints_seen_);
}

}  // namespace asyncio::detail
