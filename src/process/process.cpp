#include <asyncio/process/process.h>

#include "process/child_input.h"
#include "process/start_child.h"

#include <asyncio/tasks/gather.h>

#include <utility>

namespace asyncio {
namespace detail {

bool ExitWaiter::await_ready() { return state_of(child_).returncode().has_value(); }

void ExitWaiter::wait(TaskBase& task, std::coroutine_handle<> frame) {
    set_fd(state_of(child_).pid());
    state_of(child_).wait(*this);
    suspend(task, frame);
}

int ExitWaiter::await_resume() {
    check();
    return *state_of(child_).returncode();
}

namespace {

// CPython: subprocess.py, Process.communicate

Coro<std::string> read_all(StreamReader reader, Transport pipe) {
    std::string output = co_await reader.read();
    pipe.close();
    co_return output;
}

Coro<> nothing_to_feed() { co_return; }
Coro<std::string> nothing_to_read() { co_return std::string(); }

Coro<std::string> read_stream(const StreamReader& reader, const SubprocessTransport& child, int fd) {
    return reader ? read_all(reader, child.get_pipe_transport(fd)) : nothing_to_read();
}

Coro<subprocess::Output> communicate_with(subprocess::Process process, BytesLike input) {
    Coro<> feeding = process.stdin() ? feed(process.stdin(), input) : nothing_to_feed();
    Coro<std::string> reading_stdout = read_stream(process.stdout(), process.transport(), 1);
    Coro<std::string> reading_stderr = read_stream(process.stderr(), process.transport(), 2);
    auto results = co_await gather(std::move(feeding), std::move(reading_stdout), std::move(reading_stderr));
    co_await process.wait();
    co_return subprocess::Output{std::move(std::get<1>(results)), std::move(std::get<2>(results))};
}

}  // namespace

Coro<subprocess::Process> create_subprocess(ChildCommand command, const SubprocessOptions& options) {
    return start_process(KeptSettings(std::move(command), options, ChildSettings::Streams::inherited), options.limit);
}

}  // namespace detail

namespace subprocess {

Coro<Output> Process::communicate(BytesLike input) const { return detail::communicate_with(*this, input); }

std::string repr(const Process& process) {
    return process ? "<Process " + std::to_string(process.pid()) + ">" : "None";
}

}  // namespace subprocess
}  // namespace asyncio
