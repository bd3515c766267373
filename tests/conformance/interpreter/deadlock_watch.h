#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include "loop/observers.h"

#include <string>
#include <vector>

namespace conformance {

/// Asks a loop after each step who can never go on, and ends the program if one that was named makes a step all the
/// same. It keeps nothing alive, so a program runs as it does without.
class DeadlockWatch final : public asyncio::detail::Observer {
public:
    explicit DeadlockWatch(asyncio::EventLoop& loop);
    ~DeadlockWatch();
    /// How many were named, in all programs.
    static long named() noexcept;

    void made_ready(asyncio::detail::ReadyNode&) noexcept override {}
    void before_step(asyncio::detail::ReadyNode& node) noexcept override;
    void after_step() noexcept override;
    void loop_is_closing() noexcept override;

private:
    struct Awaited {
        const asyncio::detail::FutureBase* future;
        std::size_t others;  // that are not done, for which it stands
    };
    struct Waiting {
        const asyncio::detail::TaskBase* task;
        int cancels;
        std::vector<Awaited> futures;
        const asyncio::detail::TaskBase* holder;  // of the lock that it waits for
        bool has_deadline;                        // a timeout was to cancel it when it was named
    };
    struct Named {
        std::vector<Waiting> tasks;
        std::string text;
    };
    bool was_ended(const Named& deadlock) const;
    void forget_the_ended();
    void find();
    bool has_deadline(const asyncio::detail::TaskBase* task);

    asyncio::detail::LoopCore* loop_;
    std::vector<Named> named_;
};

}  // namespace conformance
