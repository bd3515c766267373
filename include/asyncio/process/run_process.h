#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/process/arguments.h>
#include <asyncio/process/options.h>
#include <asyncio/process/process.h>
#include <asyncio/process/subprocess_errors.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// Several commands, each of which reads what the one before it writes: `Command("ls") | Command("wc", "-l")`.
class Pipeline {
public:
    Pipeline() noexcept = default;
    Pipeline& operator|=(Command command) {
        commands_.push_back(std::move(command));
        return *this;
    }
    /// All of them, in the order of the pipes.
    const std::vector<Command>& commands() const noexcept { return commands_; }

private:
    std::vector<Command> commands_;
};
inline Pipeline operator|(Pipeline pipeline, Command command) {
    pipeline |= std::move(command);
    return pipeline;
}
inline Pipeline operator|(Command first, Command second) { return (Pipeline() | std::move(first)) | std::move(second); }

/// What became of a `run_process()`. Python: subprocess.CompletedProcess.
struct CompletedProcess {
    /// Of a pipeline that of the last command that did not end well; one before the last may well end by SIGPIPE.
    int returncode = 0;
    std::string stdout;
    std::string stderr;            ///< of all commands
    std::vector<int> returncodes;  ///< of each command
};

/// The keyword arguments of `run_process()`, the first of them in the order of subprocess.run's.
struct RunProcessOptions {
    /// What the first command reads; it has to stay until the end. None: what `process.stdin` says.
    std::optional<BytesLike> input = {};
    /// What is written is kept for the result. Otherwise it goes where `process.stdout` and `process.stderr` say.
    bool capture = true;
    /// How long it may take; then it is ended, and TimeoutExpired is thrown.
    std::optional<Seconds> timeout = {};
    /// Throw CalledProcessError if it does not end well.
    bool check = true;
    /// How long it may take to end after SIGTERM, before it is killed.
    Seconds grace = 5;
    /// It is the leader of a process group of its own, and what is left of that when it ends is killed. From a terminal
    /// such a group reads nothing.
    bool kill_group = false;
    /// Asks a child to end, in the place of SIGTERM. What it throws is dropped, and the child killed.
    Coro<> (*deliver_cancel)(subprocess::Process child) = nullptr;
    /// Where what was written is put also if this is cancelled.
    subprocess::Output* output = nullptr;
    /// The rest, as for `create_subprocess_exec()`.
    SubprocessOptions process = {};
};

/// Runs a command, or a pipeline without a shell, to its end.
///
/// When it is cancelled or takes too long the children get SIGTERM, have a while to end, and are killed then: none of
/// them is left when this is over. Cancelled once more it does not wait for the while.
/// ```cpp
/// auto sorted = co_await asyncio::run_process({"sort", "-u"}, {.input = text, .timeout = 10s});
/// auto count = co_await asyncio::run_process(Command("git", "ls-files") | Command("wc", "-l"));
/// ```
/// Throws CalledProcessError, TimeoutExpired, and what `create_subprocess_exec()` throws; ValueError for options that
/// contradict each other. Python has it without a loop: subprocess.run.
Coro<CompletedProcess> run_process(Pipeline commands, RunProcessOptions options = {});
inline Coro<CompletedProcess> run_process(Command command, RunProcessOptions options = {}) {
    return run_process(Pipeline() | std::move(command), options);
}
/// The same of a command of `/bin/sh`.
Coro<CompletedProcess> run_shell(std::string_view cmd, RunProcessOptions options = {});

}  // namespace asyncio
