#pragma once

#include <asyncio/loop/io_operation.h>
#include <asyncio/core/waiter.h>
#include <asyncio/net/socket.h>

#include <coroutine>

namespace asyncio::detail {

/// A wait of a task for an operation on a socket, inside the frame that waits. It is tried at once, and suspends only
/// if it would have to wait.
///
/// What is received is taken in the turn of the task's step, not before: whoever is cancelled until then has taken
/// nothing. What is sent goes as soon as there is room.
class SocketWaiter : public Waiter {
public:
    bool await_ready() { return begin(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        suspend(*frame.promise().task(), frame);
    }
    WaitEdge edge() const noexcept override { return {WaitKind::file_descriptor, nullptr, operation_.descriptor.fd}; }

protected:
    SocketWaiter(IoCall call, Ref<SocketState> socket) noexcept;
    ~SocketWaiter() = default;

    /// Sets the operation's memory: before each call that may look at it.
    virtual void prepare() noexcept = 0;
    /// Looks at what an operation that is over has brought. False: there is more to do.
    virtual bool advance() { return true; }
    /// Before the first try. False: there is nothing to do at all.
    virtual bool check_arguments() { return true; }
    /// To be called first in `await_resume`: throws what the operation ended with.
    void check_outcome() {
        check();
        if (operation_.result < 0) [[unlikely]]
            throw_error();
    }
    /// Throws what the operation ended with.
    [[noreturn]] virtual void throw_error() const;

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

    Ref<SocketState> socket_;
    LoopCore* loop_ = nullptr;
    Operation operation_;
};

}  // namespace asyncio::detail
