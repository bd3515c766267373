#include "process/end_children.h"

#include "process/start_child.h"

#include <asyncio/errors/exceptions.h>
#include <asyncio/tasks/shield.h>
#include <asyncio/tasks/wait_for.h>

#include <csignal>
#include <utility>

namespace asyncio::detail {
namespace {

using subprocess::Process;

constexpr Seconds for_what_is_in_the_pipes = 0.1;

void send(const Process& child, int signum, bool to_group) {
    if (child.returncode()) return;
    if (to_group) {
        state_of(child.transport()).send_signal_to_group(signum);
        return;
    }
    try {
        child.send_signal(signum);
    } catch (const OSError&) {  // it is not ours to end
    }
}

Coro<> ask_to_end(std::vector<Process> children, RunProcessOptions options) {
    for (const Process& child : children) {
        if (child.returncode()) continue;
        if (options.deliver_cancel != nullptr) {
            co_await options.deliver_cancel(child);
        } else {
            send(child, SIGTERM, options.kill_group);
        }
    }
    for (const Process& child : children) co_await child.wait();
}

/// Its end, by a cancellation or an error of its own included.
Coro<> in_peace(Task<> task) {
    while (!task.done()) {
        try {
            co_await task;
        } catch (...) {
        }
    }
}

}  // namespace

Coro<> end_children(std::vector<Process> children, Task<> attending, RunProcessOptions options) {
    try {
        co_await wait_for(ask_to_end(children, options), options.grace);
    } catch (...) {  // it takes too long, or whoever waits has no time
    }
    for (const Process& child : children) {
        send(child, SIGKILL, options.kill_group);
        co_await end_of(Ref<SubprocessState>(&state_of(child.transport())));
    }
    if (attending) {
        try {
            co_await wait_for(shield(attending), for_what_is_in_the_pipes);
        } catch (...) {
        }
        attending.cancel();
        co_await in_peace(attending);
    }
}

}  // namespace asyncio::detail
