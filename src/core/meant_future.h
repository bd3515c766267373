#pragma once

#include "core/wait_story.h"

#include <asyncio/core/future.h>

#include <coroutine>
#include <string>
#include <utility>

namespace asyncio::detail {

/// What the end of a future of the library's own means, for those who ask what a task waits for.
struct Meaning {
    WaitKind kind;        // `future`: it has no kind of its own
    const void* subject;  // lives as long as the wait; may be null
    int fd;               // the descriptor or the process, of a wait of that kind
    std::string (*text)(const void* subject, int fd);
};

/// A wait for such a future, in which a task is as it would be in one for the future itself.
class MeantFutureWaiter : public FutureWaiter {
public:
    void tell(WaitStory& story) const override;

protected:
    MeantFutureWaiter(Ref<FutureBase> future, const Meaning& meaning) noexcept
        : FutureWaiter(std::move(future)), meaning_(meaning) {
        if (meaning.kind != WaitKind::future) set_edge(meaning.kind, &meaning_.subject);
        set_fd(meaning.fd);
    }
    ~MeantFutureWaiter() = default;

private:
    Meaning meaning_;
};

/// What is awaited in the place of the future.
class [[nodiscard]] MeantFuture : public NativeAwaitable {
public:
    MeantFuture(const AnyFuture& future, WaitKind kind, std::string (*text)(const void* subject, int fd),
                const void* subject = nullptr, int fd = -1) noexcept
        : future_(future.state_or_null()), meaning_{kind, subject, fd, text} {}
    auto operator co_await() const noexcept { return DroppingFutureAwaiter<MeantFutureWaiter>(future_, meaning_); }

private:
    Ref<FutureBase> future_;
    Meaning meaning_;
};

}  // namespace asyncio::detail
