#pragma once

#include "loop/sigint_watch.h"
#include "loop/signal_pipe.h"

#include <asyncio/detail/function.h>
#include <asyncio/loop/handle.h>

#include <map>
#include <memory>

namespace asyncio::detail {

/// The signals that a loop handles, and the Ctrl-C of the `Runner` that runs it.
class LoopSignals {
public:
    explicit LoopSignals(LoopCore& loop) noexcept : loop_(loop) {}

    void add(int signum, Ref<HandleBase> handle);
    /// False if it was not handled.
    bool remove(int signum);
    void clear() noexcept {
        if (pipe_) drop_all();
    }

    bool has_handlers() const noexcept { return !handles_.empty(); }
    /// Where the loop has no handler of its own for it: `on_sigint` is told in the loop, with the number of times.
    void set_sigint_watch(SigintWatch* watch, Function<void(int)> on_sigint);
    bool has_sigint_watch() const noexcept { return sigint_ != nullptr; }
    /// Whether a Ctrl-C waits to be told.
    bool sigint_is_due() const noexcept { return sigint_ != nullptr && sigint_->count() != sigints_seen_; }
    void tell_sigint();

private:
    void arrived(int signum);
    void drop_all() noexcept;

    LoopCore& loop_;
    std::unique_ptr<SignalPipe> pipe_;
    std::map<int, Ref<HandleBase>> handles_;
    SigintWatch* sigint_ = nullptr;
    Function<void(int)> on_sigint_;
    int sigints_seen_ = 0;
};

}  // namespace asyncio::detail
