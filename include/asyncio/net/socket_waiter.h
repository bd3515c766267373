#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/loop/io_operation.h>
#include <asyncio/net/socket.h>

#include <coroutine>
#include <exception>

namespace asyncio::detail {

/// A wait of a task for an operation on a socket, inside the frame that waits. It is tried at once, and suspends only
/// if it would have to wait.
///
/// What is received is taken in the turn of the task's step, not before: whoever is cancelled until then has taken
/// nothing. What is sent goes as soon as there is room.
class SocketWaiter : public Waiter {
public:
    void tell(WaitStory& story) const override;
    bool await_ready() { return begin(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        suspend(*frame.promise().task(), frame);
    }

protected:
    SocketWaiter(IoCall call, Ref<SocketState> socket) noexcept;
    ~SocketWaiter() = default;

    /// Sets the operation's memory: before each call that may look at it. May throw std::bad_alloc.
    virtual void prepare() = 0;
    /// Looks at what an operation that is over has brought. False: there is more to do.
    virtual bool advance() { return true; }
    /// The operation is over and has failed.
    virtual void failed() noexcept {}
    /// Before the first try. False: there is nothing to do at all.
    virtual bool check_arguments() { return true; }
    /// To be called first in `await_resume`: throws what the operation ended with.
    void check_outcome() {
        check();
        if (operation_.result < 0) [[unlikely]]
            throw_failure();
    }
    void throw_failure() const;
    /// Throws what the operation ended with.
    [[noreturn]] virtual void throw_error() const;

    /// Ends it by the exception that is being handled.
    void fail() noexcept;
    bool begin();
    bool settle(bool over);
    void on_cancel() noexcept override { operation_.stop(); }
    void turn() override;
    IoOperation& operation() noexcept { return operation_; }
    const IoOperation& operation() const noexcept { return operation_; }
    SocketState& socket() const noexcept { return *socket_; }
    LoopCore& loop() const noexcept { return *loop_; }

private:
    struct Operation : IoOperation {
        Operation(IoCall what, SocketWaiter& its_waiter) noexcept
            : IoOperation(what, &SocketWaiter::reported), waiter(its_waiter) {}
        SocketWaiter& waiter;
    };
    static void reported(ReadyNode& node);
    bool take_outcome() noexcept;

    Ref<SocketState> socket_;
    LoopCore* loop_ = nullptr;
    Operation operation_;
    std::exception_ptr error_;  // what one of us has thrown; then the operation's result is negative
};

}  // namespace asyncio::detail
