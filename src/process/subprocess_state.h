#pragma once

#include "net/transport_state.h"
#include "process/child_process.h"

#include <asyncio/context/context.h>
#include <asyncio/core/future.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/detail/ref.h>
#include <asyncio/loop/loop_resource.h>
#include <asyncio/loop/scheduling.h>
#include <asyncio/net/pipes.h>
#include <asyncio/process/process.h>
#include <asyncio/process/subprocess_protocol.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::detail {

class PipeOfChild;

/// What all handles of one child's transport share. What happens to the child and to its pipes is told to the protocol
/// one pass later, each in its turn. CPython: base_subprocess.py, BaseSubprocessTransport.
class SubprocessState final : public TransportState, public LoopResource {
public:
    SubprocessState(LoopCore& loop, Ref<BaseProtocol> protocol) noexcept;
    /// The child that has just been started, with these pipes.
    void take_child(ChildProcess child, std::uint8_t pipes);
    /// Nobody will be told anything: kills the child, and waits for its end.
    void give_up() noexcept;
    /// Then the protocol is told, and `ready` ends. To be run as a task.
    static Coro<> connect_pipes(Ref<SubprocessState> self, OwnedDescriptor in, OwnedDescriptor out, OwnedDescriptor err,
                                Future<> ready);

    // What the child's handles do.
    pid_t pid() const noexcept { return child_->pid(); }
    std::optional<int> returncode() const noexcept { return returncode_; }
    TransportState* pipe(int fd) const noexcept;
    void send_signal(int signum);
    void send_signal_to_group(int signum) noexcept {
        if (child_ && !returncode_) child_->send_signal_to_group(signum);
    }
    void wait(ExitWaiter& waiter) noexcept { waiters_.push_back(waiter); }

    // What its pipes tell.
    void pipe_data_received(int fd, std::string_view data);
    void pipe_connection_lost(int fd, std::exception_ptr error) noexcept;
    void pipe_pauses_writing();
    void pipe_resumes_writing();

    void close() noexcept override;
    void force_close(std::exception_ptr) noexcept override { close(); }
    void set_protocol(Ref<BaseProtocol> protocol) override;
    BaseProtocol* protocol() const noexcept override { return protocol_.get(); }
    int fileno() const noexcept override { return child_ ? child_->fd() : -1; }
    ExtraInfo get_extra_info(std::string_view) const override { return {}; }
    std::string repr() const override;
    LoopCore& loop() const noexcept override { return *loop_; }
    void loop_is_closing() noexcept override;

private:
    /// Something to tell the protocol, in a pass of its own.
    struct Call : ReadyNode {
        enum class What : std::uint8_t { made, data, pipe_lost, exited, over };
        Call(What kind, SubprocessState& state, int number = 0) noexcept
            : ReadyNode(&SubprocessState::tell), what(kind), fd(number), child(state) {}
        const What what;
        const int fd;
        SubprocessState& child;
        std::string data{};
        std::exception_ptr error{};
        ContextSlot context{};
        Ref<BaseProtocol> protocol{};
    };
    struct DataCalls;  // a list's tag
    struct DataCall : Call, ListHook<DataCalls>, Pooled {
        DataCall(SubprocessState& state, int number) noexcept : Call(What::data, state, number) {}
    };

    ~SubprocessState() override;
    void schedule_call(Call& call) noexcept;
    void watch_child();
    void pipes_are_connected() noexcept;
    void pipes_cannot_be_connected() noexcept;
    static void tell(ReadyNode& node);
    void tell_protocol(Call& call, SubprocessProtocol& protocol);
    void child_may_have_ended();
    void child_has_ended(int returncode) noexcept;
    void end_if_all_is_over() noexcept;
    void disconnect() noexcept;
    static void looks_again(ReadyNode& node);
    void warn(const char* text) const noexcept;
    void stop_watching() noexcept;
    void stop_counting() noexcept;

    LoopCore* loop_;
    std::optional<ChildProcess> child_;
    Ref<BaseProtocol> protocol_;  // null when it is over
    std::optional<int> returncode_;
    int watched_fd_ = -1;
    bool are_pipes_connected_ = false;
    bool have_pipes_failed_ = false;
    bool is_over_scheduled_ = false;
    bool is_counted_ = false;  // as work outside of the loop
    pid_t process_;            // a forked child has nothing to do with it
    Ref<PipeOfChild> pipes_[3];
    std::uint8_t pipes_open_ = 0;  // or to be connected
    ReadyList calls_before_;       // the pipes were connected
    IntrusiveList<DataCall, DataCalls> data_calls_;
    IntrusiveList<ExitWaiter, ExitWaiters> waiters_;
    struct Look : TimerNode {
        explicit Look(SubprocessState& state) noexcept : TimerNode(&SubprocessState::looks_again), child(state) {}
        SubprocessState& child;
    } look_{*this};
    Call made_{Call::What::made, *this};
    Call lost_[3] = {
        {Call::What::pipe_lost, *this, 0}, {Call::What::pipe_lost, *this, 1}, {Call::What::pipe_lost, *this, 2}};
    Call exited_{Call::What::exited, *this};
    Call over_{Call::What::over, *this};
};

inline SubprocessState& state_of(const BaseTransport& child) {
    return static_cast<SubprocessState&>(*child.handle().get());
}

}  // namespace asyncio::detail
