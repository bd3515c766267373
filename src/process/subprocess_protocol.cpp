#include <asyncio/process/subprocess_protocol.h>

#include "loop/loop_core.h"
#include "net/protocol_calls.h"
#include "process/start_child.h"

#include <asyncio/errors/exceptions.h>

#include <csignal>
#include <utility>

namespace asyncio {

void SubprocessProtocol::connection_made(SubprocessTransport) {}
void SubprocessProtocol::pipe_data_received(int, std::string_view) {}
void SubprocessProtocol::pipe_connection_lost(int, std::exception_ptr) {}
void SubprocessProtocol::process_exited() {}

using detail::state_of;

int SubprocessTransport::get_pid() const { return state_of(*this).pid(); }
std::optional<int> SubprocessTransport::get_returncode() const { return state_of(*this).returncode(); }
Transport SubprocessTransport::get_pipe_transport(int fd) const { return Transport(state_of(*this).pipe(fd)); }
void SubprocessTransport::send_signal(int signum) const {
    in_its_thread();
    state_of(*this).send_signal(signum);
}
void SubprocessTransport::terminate() const { send_signal(SIGTERM); }
void SubprocessTransport::kill() const { send_signal(SIGKILL); }

namespace detail {
namespace {

// CPython: base_events.py, subprocess_exec
Coro<Subprocess<>> start_with_protocol(Ref<ProtocolMaker> maker, KeptSettings settings) {
    Ref<BaseProtocol> protocol = made_protocol(*maker);
    Ref<SubprocessState> child = co_await start_child(protocol, std::move(settings));
    co_return Subprocess<>{SubprocessTransport(child.get()), std::move(protocol)};
}

}  // namespace

Coro<Subprocess<>> start_subprocess(Ref<ProtocolMaker> maker, ChildCommand command, const SubprocessOptions& options) {
    return start_with_protocol(std::move(maker),
                               KeptSettings(std::move(command), options, ChildSettings::Streams::pipes));
}

}  // namespace detail
}  // namespace asyncio
