#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/net/bytes_like.h>
#include <asyncio/net/stream_reader.h>
#include <asyncio/net/stream_writer.h>
#include <asyncio/net/waiter_call.h>
#include <asyncio/process/arguments.h>
#include <asyncio/process/options.h>
#include <asyncio/process/subprocess_errors.h>
#include <asyncio/process/subprocess_protocol.h>

#include <concepts>
#include <coroutine>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {

namespace detail {

struct ExitWaiters;  // the tag of a child's list of those who wait for its end

/// A wait of a task for the end of a child.
class [[nodiscard]] [[gnu::warn_unused]] ExitWaiter final : public Waiter, public ListHook<ExitWaiters> {
public:
    explicit ExitWaiter(SubprocessTransport child) noexcept
        : Waiter(WaitKind::process, &child_), child_(std::move(child)) {
        static_assert(sizeof child_ == sizeof(void*));
    }
    bool await_ready();
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    int await_resume();

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void on_cancel() noexcept override { ListHook<ExitWaiters>::unlink(); }
    SubprocessTransport child_;
};

}  // namespace detail

namespace subprocess {

/// A child process. Copies name the same one; when none is left it runs on, and what it writes is dropped.
///
/// It is waited for by its loop, whether somebody awaits it or not, so no zombie is left. A child that still runs when
/// its loop is closed is killed. Python: asyncio.subprocess.Process.
class Process {
public:
    /// An empty handle, which tests false; its use throws RuntimeError.
    Process() noexcept = default;
    explicit operator bool() const noexcept { return static_cast<bool>(transport_); }

    /// Its number, also after its end, when it may be another's. Python: process.pid.
    int pid() const { return transport_.get_pid(); }
    /// None until the loop has heard of its end; -N if signal N ended it.
    std::optional<int> returncode() const { return transport_.get_returncode(); }

    /// Where its input is written, if that is a pipe; else empty. Python: process.stdin.
    const StreamWriter& stdin() const noexcept { return stdin_; }
    /// What it writes, if that is a pipe; else empty. Python: process.stdout.
    const StreamReader& stdout() const noexcept { return stdout_; }
    /// The same of its errors. Python: process.stderr.
    const StreamReader& stderr() const noexcept { return stderr_; }

    /// Waits for its end, and gives the return code. It does not wait for pipes, which grandchildren may keep open; and
    /// a child that writes more than its pipes hold never ends if nobody reads: `communicate()` does.
    auto wait() const { return detail::WaiterCall<detail::ExitWaiter, SubprocessTransport>(transport_); }
    /// Writes the input and closes `stdin()`, reads the others to their ends, all at once, and waits for its end. A
    /// child that does not read its input is no error. The input has to stay until then. Cancelling leaves the child
    /// running, and what has come and was not given to anybody is there for the next who reads.
    Coro<Output> communicate(BytesLike input = {}) const;

    /// Nothing if it has ended already, but ProcessLookupError when all of it is over. Never another process is meant.
    void send_signal(int signum) const { transport_.send_signal(signum); }
    void terminate() const { transport_.terminate(); }  ///< by SIGTERM
    void kill() const { transport_.kill(); }            ///< by SIGKILL

    /// For the library.
    Process(SubprocessTransport transport, StreamWriter in, StreamReader out, StreamReader err) noexcept
        : transport_(std::move(transport)), stdin_(std::move(in)), stdout_(std::move(out)), stderr_(std::move(err)) {}
    /// For the library.
    const SubprocessTransport& transport() const noexcept { return transport_; }

private:
    SubprocessTransport transport_;
    StreamWriter stdin_;
    StreamReader stdout_;
    StreamReader stderr_;
};

/// `<Process 4711>`.
std::string repr(const Process& process);

}  // namespace subprocess

namespace detail {

Coro<subprocess::Process> create_subprocess(ChildCommand command, const SubprocessOptions& options);

}  // namespace detail

/// Starts a program, found by `PATH` unless it has a slash. It inherits the three standard streams unless the options
/// say otherwise, and no other descriptor.
///
/// Throws FileNotFoundError or PermissionError, with the program's name or the folder's, if it cannot be run;
/// ValueError for options that make no sense; OSError for what the system refuses. It goes on when the pipes are ready,
/// a few passes of the loop later. Cancelling kills the child and waits for its end.
/// ```cpp
/// auto git = co_await asyncio::create_subprocess_exec("git", {"log", "-1"}, {.stdout = asyncio::subprocess::PIPE});
/// auto [out, err] = co_await git.communicate();
/// ```
/// Python: asyncio.create_subprocess_exec.
inline Coro<subprocess::Process> create_subprocess_exec(std::string_view program, Arguments args = {},
                                                        SubprocessOptions options = {}) {
    return detail::create_subprocess(detail::program_with(program, args), options);
}
/// The arguments one by one: `create_subprocess_exec("sleep", "1")`.
template <detail::Word First, detail::Word... Rest>
Coro<subprocess::Process> create_subprocess_exec(std::string_view program, const First& first, const Rest&... rest) {
    return detail::create_subprocess(detail::program_with(program, Arguments(first, rest...)), SubprocessOptions());
}
/// The program and its arguments as one: `create_subprocess_exec(Command("sleep", "1"), {.stdin = DEVNULL})`.
template <std::same_as<Command> C>
Coro<subprocess::Process> create_subprocess_exec(const C& command, SubprocessOptions options = {}) {
    return detail::create_subprocess(detail::checked_command(command), options);
}
/// The program comes first: `create_subprocess_exec("ls", {"-l"})`. Two literals in braces would be taken for the two
/// ends of one string.
template <class Option = SubprocessOptions>
void create_subprocess_exec(std::initializer_list<const char*> command, Option options = {}) = delete;
/// Starts a command of `/bin/sh`. Never put into it what comes from elsewhere. A signal to the child is for the shell,
/// which leaves what it has started running. Cancelling kills the shell. Python: asyncio.create_subprocess_shell.
inline Coro<subprocess::Process> create_subprocess_shell(std::string_view cmd, SubprocessOptions options = {}) {
    return detail::create_subprocess(detail::shell_command(cmd), options);
}

}  // namespace asyncio
