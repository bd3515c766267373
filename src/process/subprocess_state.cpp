#include "process/subprocess_state.h"

#include "core/task_loop.h"
#include "net/protocol_calls.h"
#include "process/pipe_of_child.h"
#include "process/subprocess_streams.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/loop/handle.h>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

namespace asyncio::detail {

SubprocessState::SubprocessState(LoopCore& loop, Ref<BaseProtocol> protocol) noexcept
    : loop_(&loop), protocol_(std::move(protocol)), process_(::getpid()) {
    loop.inc_ref();
    loop.resources.push_back(*this);
}

SubprocessState::~SubprocessState() { loop_->dec_ref(); }

// The child.

void SubprocessState::take_child(ChildProcess child, std::uint8_t pipes) {
    child_.emplace(std::move(child));
    pipes_open_ = pipes;
    watch_child();
    outside_work_begins(*loop_);
    is_counted_ = true;
}

void SubprocessState::stop_counting() noexcept {
    if (std::exchange(is_counted_, false)) outside_work_ends(*loop_);
}

void SubprocessState::watch_child() {
    auto call = [this] { child_may_have_ended(); };
    Ref<HandleBase> handle = Ref<HandleBase>::adopt(new HandleOf<decltype(call)>(*loop_, call));
    handle->context_slot() = ContextSlot::copy_current();
    loop_->descriptors().watch(child_->fd(), false, std::move(handle));
    watched_fd_ = child_->fd();
}

void SubprocessState::stop_watching() noexcept {
    int fd = std::exchange(watched_fd_, -1);
    if (fd < 0) return;
    try {
        loop_->descriptors().unwatch(fd, false);
    } catch (...) {  // it is watched no longer all the same
    }
}

// CPython: unix_events.py, _PidfdChildWatcher
void SubprocessState::child_may_have_ended() {
    Ref<TransportState> keep(this);
    stop_watching();
    std::optional<int> code = child_->reap(ChildProcess::Wait::no);
    if (!code) {  // whoever debugs it has to know first
        try {
            schedule_at(*loop_, time_of(*loop_) + std::chrono::milliseconds(10), look_);
            return;
        } catch (...) {  // no memory to look again later
            code = child_->reap(ChildProcess::Wait::until_it_ends);
        }
    }
    child_has_ended(*code);
}

void SubprocessState::looks_again(ReadyNode& node) { static_cast<Look&>(node).child.child_may_have_ended(); }

void SubprocessState::child_has_ended(int returncode) noexcept {
    returncode_ = returncode;
    stop_counting();
    if (child_->was_reaped_elsewhere()) warn("exit status already read, will report returncode 255: ");
    schedule_call(exited_);
    end_if_all_is_over();
    while (!waiters_.empty()) {
        ExitWaiter& waiter = waiters_.pop_front();
        waiter.wake();
    }
    if (have_pipes_failed_) disconnect();
}

void SubprocessState::send_signal(int signum) {
    if (!protocol_) throw_os_error(ESRCH);
    if (returncode_) return;
    if (int error = child_->send_signal(signum)) throw_os_error(error);
}

void SubprocessState::give_up() noexcept {
    closing_ = true;
    stop_watching();
    if (child_ && !returncode_ && process_ == ::getpid()) {
        child_->send_signal(SIGKILL);
        returncode_ = child_->reap(ChildProcess::Wait::until_it_ends);
    }
    disconnect();
}

// Its pipes.

namespace {

/// A factory of what there is already.
class GivenProtocol final : public ProtocolMaker {
public:
    explicit GivenProtocol(Ref<BaseProtocol> protocol) noexcept : protocol_(std::move(protocol)) {}
    Ref<BaseProtocol> make() override { return protocol_; }

private:
    Ref<BaseProtocol> protocol_;
};

Ref<ProtocolMaker> maker_of(const Ref<PipeOfChild>& pipe) { return Ref<ProtocolMaker>(new GivenProtocol(pipe)); }

}  // namespace

Coro<> SubprocessState::connect_pipes(Ref<SubprocessState> self, OwnedDescriptor in, OwnedDescriptor out,
                                      OwnedDescriptor err, Future<> ready) {
    std::exception_ptr error;
    try {
        int fd = 0;
        for (OwnedDescriptor* end : {&in, &out, &err}) {
            int its = fd++;
            if (end->get() < 0) continue;
            Ref<PipeOfChild> pipe(new PipeOfChild(*self, its));
            Ref<ProtocolMaker> maker = maker_of(pipe);
            if (its == 0) {
                co_await connect_write_pipe(std::move(maker), std::move(*end));
            } else {
                co_await connect_read_pipe(std::move(maker), std::move(*end));
            }
            self->pipes_[its] = std::move(pipe);
        }
        self->pipes_are_connected();
    } catch (...) {
        error = std::current_exception();
        self->pipes_cannot_be_connected();
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    }
    if (ready.done()) co_return;
    if (error) {
        ready.set_exception(std::move(error));
    } else {
        ready.set_result();
    }
}

void SubprocessState::pipes_are_connected() noexcept {
    if (protocol_ == nullptr) return;  // the loop has been closed
    are_pipes_connected_ = true;
    if (closing_) {  // meanwhile
        for (Ref<PipeOfChild>& pipe : pipes_) {
            if (pipe) pipe->transport()->close();
        }
    }
    schedule_call(made_);
    while (!calls_before_.empty()) schedule_call(static_cast<Call&>(calls_before_.pop_front()));
}

void SubprocessState::pipes_cannot_be_connected() noexcept {
    have_pipes_failed_ = true;
    for (Ref<PipeOfChild>& pipe : pipes_) {
        if (pipe) pipe->transport()->close();
    }
    if (returncode_) disconnect();
}

TransportState* SubprocessState::pipe(int fd) const noexcept {
    return fd >= 0 && fd < 3 && pipes_[fd] ? pipes_[fd]->transport() : nullptr;
}

void SubprocessState::pipe_data_received(int fd, std::string_view data) {
    Ref<BaseProtocol> protocol = protocol_;
    if (!protocol) return;
    auto* call = new DataCall(*this, fd);
    data_calls_.push_back(*call);
    try {
        call->data = data;
    } catch (...) {
        delete call;
        throw;
    }
    schedule_call(*call);
}

void SubprocessState::pipe_connection_lost(int fd, std::exception_ptr error) noexcept {
    lost_[fd].error = std::move(error);
    pipes_open_ = static_cast<std::uint8_t>(pipes_open_ & ~(1U << fd));
    if (protocol_ == nullptr) return;
    schedule_call(lost_[fd]);
    end_if_all_is_over();
}

void SubprocessState::pipe_pauses_writing() {
    Ref<BaseProtocol> protocol = protocol_;
    if (protocol) protocol->pause_writing();
}

void SubprocessState::pipe_resumes_writing() {
    Ref<BaseProtocol> protocol = protocol_;
    if (protocol) protocol->resume_writing();
}

// What is told.

void SubprocessState::schedule_call(Call& call) noexcept {
    call.context = ContextSlot::copy_current();
    if (!call.protocol) call.protocol = protocol_;
    if (are_pipes_connected_) {
        schedule(*loop_, call);
    } else {
        calls_before_.push_back(call);
    }
}

void SubprocessState::tell(ReadyNode& node) {
    Call& call = static_cast<Call&>(node);
    SubprocessState& self = call.child;
    Ref<TransportState> keep(&self);
    Ref<BaseProtocol> protocol = std::exchange(call.protocol, nullptr);
    bool is_over = call.what == Call::What::over;
    struct End {
        ~End() {
            if (is_data) delete static_cast<DataCall*>(&the_call);
            if (disconnects) state.disconnect();
        }
        SubprocessState& state;
        Call& the_call;
        bool is_data;
        bool disconnects;
    } end{self, call, call.what == Call::What::data, is_over};
    ContextScope scope(self.loop_->current_context(), call.context);
    self.tell_protocol(call, static_cast<SubprocessProtocol&>(*protocol));
}

void SubprocessState::tell_protocol(Call& call, SubprocessProtocol& protocol) {
    const char* method = "";
    try {
        switch (call.what) {
            case Call::What::made:
                method = "connection_made";
                protocol.connection_made(SubprocessTransport(this));
                break;
            case Call::What::data:
                method = "pipe_data_received";
                if (auto* streams = dynamic_cast<SubprocessStreams*>(&protocol)) {
                    streams->pipe_data_given(call.fd, std::move(call.data));
                } else {
                    protocol.pipe_data_received(call.fd, call.data);
                }
                break;
            case Call::What::pipe_lost:
                method = "pipe_connection_lost";
                protocol.pipe_connection_lost(call.fd, std::exchange(call.error, nullptr));
                break;
            case Call::What::exited:
                method = "process_exited";
                protocol.process_exited();
                break;
            case Call::What::over:
                method = "connection_lost";
                protocol.connection_lost(nullptr);
                break;
        }
    } catch (...) {
        tell_failed_callback(method, protocol, *this);
    }
}

void SubprocessState::set_protocol(Ref<BaseProtocol> protocol) {
    if (protocol->kind() != BaseProtocol::Kind::subprocess) throw TypeError("a SubprocessProtocol was expected");
    if (protocol_) protocol_ = std::move(protocol);
}

// The end.

void SubprocessState::end_if_all_is_over() noexcept {
    if (!returncode_ || pipes_open_ != 0 || std::exchange(is_over_scheduled_, true)) return;
    schedule_call(over_);
}

void SubprocessState::close() noexcept {
    if (std::exchange(closing_, true)) return;
    for (Ref<PipeOfChild>& pipe : pipes_) {
        if (pipe) pipe->transport()->close();
    }
    if (!child_ || returncode_ || !protocol_) return;
    if (loop_->debug()) [[unlikely]]
        warn("Close running child process: kill ");
    child_->send_signal(SIGKILL);
}

void SubprocessState::disconnect() noexcept {
    if (!protocol_) return;
    Ref<TransportState> keep(this);
    ListHook<LoopResources>::unlink();
    stop_watching();
    stop_counting();
    for (Ref<PipeOfChild>& pipe : pipes_) {
        if (pipe) pipe->detached();  // another protocol may stand on its transport, and it not know of the end
    }
    unschedule(*loop_, look_);
    look_.unlink();
    for (Call* call : {&made_, &lost_[0], &lost_[1], &lost_[2], &exited_, &over_}) {
        call->unlink();
        Ref<BaseProtocol> told = std::exchange(call->protocol, nullptr);
    }
    while (!data_calls_.empty()) delete &data_calls_.pop_front();
    Ref<BaseProtocol> protocol = std::exchange(protocol_, nullptr);
    protocol->detached();
    dec_ref();  // its own
}

void SubprocessState::loop_is_closing() noexcept {
    if (loop_->debug() && !closing_) warn("unclosed transport ");
    give_up();
}

void SubprocessState::warn(const char* text) const noexcept {
    try {
        log(LogLevel::warning, text + repr());
    } catch (...) {  // no memory for a warning
    }
}

std::string SubprocessState::repr() const {
    std::string text = "<_UnixSubprocessTransport";
    if (closing_) text += " closed";
    if (child_) text += " pid=" + std::to_string(child_->pid());
    if (returncode_) {
        text += " returncode=" + std::to_string(*returncode_);
    } else {
        text += child_ ? " running" : " not started";
    }
    const char* names[] = {" stdin=", " stdout=", " stderr="};
    for (int fd = 0; fd < 3; ++fd) {
        if (const TransportState* its = pipe(fd)) text += names[fd] + its->repr();
    }
    return text + ">";
}

}  // namespace asyncio::detail
