#include "process/start_child.h"

#include "core/meant_future.h"
#include "core/task_loop.h"
#include "process/subprocess_streams.h"

#include <asyncio/core/task.h>
#include <asyncio/tasks/shield.h>

#include <string>
#include <utility>

namespace asyncio::detail {

KeptSettings::KeptSettings(ChildCommand command, const SubprocessOptions& options,
                           ChildSettings::Streams by_default) noexcept {
    try {
        settings_ = std::make_unique<ChildSettings>(std::move(command), options, by_default);
    } catch (...) {
        error_ = std::current_exception();
    }
}

namespace {

using End = WaiterCall<ExitWaiter, SubprocessTransport>;

std::string text_of_child_beginning(const void*, int pid) {
    return "<beginning of process " + std::to_string(pid) + ">";
}

Coro<> ended(Ref<SubprocessState> child) { co_await End(SubprocessTransport(child.get())); }

}  // namespace

// CPython: unix_events.py, _make_subprocess_transport
Coro<Ref<SubprocessState>> start_child(Ref<BaseProtocol> protocol, KeptSettings settings) {
    LoopCore& loop = running_core();
    Ref<SubprocessState> child(new SubprocessState(loop, std::move(protocol)));
    Future<> ready(Ref<FutureBase>(new FutureState<void>(loop)));
    std::exception_ptr error;
    try {
        ChildSettings::Started started = settings.get().start();
        std::uint8_t pipes = 0;
        for (int fd = 0; fd < 3; ++fd) {
            if (started.ends[fd].get() >= 0) pipes = static_cast<std::uint8_t>(pipes | 1U << fd);
        }
        child->take_child(std::move(started.child), pipes);
        create_task(SubprocessState::connect_pipes(child, std::move(started.ends[0]), std::move(started.ends[1]),
                                                   std::move(started.ends[2]), ready));
    } catch (...) {
        child->give_up();
        throw;
    }
    try {
        co_await MeantFuture(ready, WaitKind::process, text_of_child_beginning, nullptr, child->pid());
        co_return child;
    } catch (...) {
        child->close();
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
        error = std::current_exception();
    }
    try {
        co_await shield(ended(child));  // in as many passes as CPython
    } catch (...) {                     // cancelled once more, or no memory for it
    }
    co_await end_of(child);
    std::rethrow_exception(std::move(error));
}

Coro<> end_of(Ref<SubprocessState> child) {
    while (!child->returncode()) {
        try {
            co_await End(SubprocessTransport(child.get()));
        } catch (const CancelledError&) {
        }
    }
}

// CPython: subprocess.py, create_subprocess_exec
Coro<subprocess::Process> start_process(KeptSettings settings, std::int64_t limit) {
    ProtocolRef<SubprocessStreams> streams = make_protocol<SubprocessStreams>(limit);
    Ref<SubprocessState> child = co_await start_child(streams, std::move(settings));
    if (streams->failed_by()) {
        child->close();
        co_await end_of(child);
        std::rethrow_exception(streams->failed_by());
    }
    co_return subprocess::Process(SubprocessTransport(child.get()), streams->stdin(), streams->reader(1),
                                  streams->reader(2));
}

}  // namespace asyncio::detail
