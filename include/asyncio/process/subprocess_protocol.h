#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/net/protocol_factory.h>
#include <asyncio/net/protocol_methods.h>
#include <asyncio/net/protocols.h>
#include <asyncio/net/transports.h>
#include <asyncio/process/arguments.h>
#include <asyncio/process/options.h>

#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace asyncio {

/// A child process, as a `SubprocessProtocol` is told of it. A handle: when none is left the child runs on.
/// Python: asyncio.SubprocessTransport.
class SubprocessTransport : public BaseTransport {
public:
    using BaseTransport::BaseTransport;

    /// Its number, also after its end. Python: transport.get_pid().
    int get_pid() const;
    /// None while it runs; -N if signal N ended it.
    std::optional<int> get_returncode() const;
    /// That of the child's 0, 1 or 2, which sends for 0 and receives for the others; empty if it is no pipe.
    Transport get_pipe_transport(int fd) const;
    /// Nothing if the child has ended and is not told yet; throws ProcessLookupError when that was told,
    /// PermissionError if the child is another user's by now.
    void send_signal(int signum) const;
    void terminate() const;  ///< by SIGTERM
    void kill() const;       ///< by SIGKILL
};

/// What is told of a child process and its pipes: derive from it, and override what you need.
///
/// The order is `connection_made()`, then what happens, `connection_lost()` when the child has ended and all pipes are
/// closed. A pipe that a grandchild keeps open ends later than the child. Python: asyncio.SubprocessProtocol.
class SubprocessProtocol : public BaseProtocol {
public:
    SubprocessProtocol() noexcept : BaseProtocol(Kind::subprocess) {}

    /// The child runs, and its pipes are there.
    virtual void connection_made(SubprocessTransport transport);
    /// The child has written to its 1 or 2. The bytes are gone when it returns.
    virtual void pipe_data_received(int fd, std::string_view data);
    /// One of its pipes is closed, by this error or null.
    virtual void pipe_connection_lost(int fd, std::exception_ptr error);
    /// The transport knows the return code.
    virtual void process_exited();
};

/// A child process and the protocol that is told of it.
template <class P = BaseProtocol>
struct Subprocess {
    SubprocessTransport transport;
    ProtocolRef<P> protocol;
};

/// The same as a ProtocolFactory, of a SubprocessProtocol.
template <class F>
concept SubprocessProtocolFactory = ProtocolFactory<F> && std::is_base_of_v<SubprocessProtocol, detail::ProtocolOf<F>>;

namespace detail {

/// The program and its arguments, or what a shell is to run.
struct ChildCommand {
    ChildCommand(Arguments all, bool by_shell) noexcept : arguments(std::move(all)), is_for_shell(by_shell) {}
    Arguments arguments;
    bool is_for_shell;
};
ChildCommand program_with(std::string_view program, const Arguments& arguments);
ChildCommand shell_command(std::string_view command);
ChildCommand checked_command(const Command& command);  // throws ValueError if it is empty

Coro<Subprocess<>> start_subprocess(Ref<ProtocolMaker> maker, ChildCommand command, const SubprocessOptions& options);

// As those of the protocols of connections: protocol_factory.h.

template <class P>
concept CallsPipeDataReceived = !requires {
    &P::pipe_data_received;
}
|| requires { static_cast<void (P::*)(int, std::string_view)>(&P::pipe_data_received); };
template <class P>
concept CallsPipeConnectionLost = !requires {
    &P::pipe_connection_lost;
}
|| requires { static_cast<void (P::*)(int, std::exception_ptr)>(&P::pipe_connection_lost); };
template <class P>
concept CallsProcessExited = !requires {
    &P::process_exited;
}
|| requires { static_cast<void (P::*)()>(&P::process_exited); };

template <class F>
consteval bool check_subprocess_factory() {
    static_assert(
        SubprocessProtocolFactory<F>,
        "a child's factory is called without arguments, for a SubprocessProtocol, a std::unique_ptr of one or "
        "a ProtocolRef");
    if constexpr (SubprocessProtocolFactory<F>) {
        using P = ProtocolOf<F>;
        static_assert(CallsConnectionMade<P, SubprocessTransport>,
                      "it would never be called: connection_made(SubprocessTransport)");
        static_assert(CallsPipeDataReceived<P>, "it would never be called: pipe_data_received(int, std::string_view)");
        static_assert(CallsPipeConnectionLost<P>,
                      "it would never be called: pipe_connection_lost(int, std::exception_ptr)");
        static_assert(CallsProcessExited<P>, "it would never be called: process_exited() has no parameter");
    }
    return SubprocessProtocolFactory<F>;
}
template <class F>
using SubprocessProtocolOf = typename Product<F, check_subprocess_factory<F>()>::type;

}  // namespace detail

/// Starts a program, and a protocol that is told of it. Its streams are pipes unless the options say otherwise.
///
/// The protocol's `connection_made()` has been called when this goes on. Throws as `create_subprocess_exec()` does.
/// Cancelling kills the child. Python: loop.subprocess_exec.
template <class F>
Coro<Subprocess<detail::SubprocessProtocolOf<F>>> subprocess_exec(F&& factory, std::string_view program,
                                                                  Arguments args = {}, SubprocessOptions options = {}) {
    return detail::with_protocol_of<Subprocess, F>(detail::start_subprocess(
        detail::protocol_maker(static_cast<F&&>(factory)), detail::program_with(program, args), options));
}
/// The same of a command that `/bin/sh` runs. Never put what comes from elsewhere into it. Python:
/// loop.subprocess_shell.
template <class F>
Coro<Subprocess<detail::SubprocessProtocolOf<F>>> subprocess_shell(F&& factory, std::string_view cmd,
                                                                   SubprocessOptions options = {}) {
    return detail::with_protocol_of<Subprocess, F>(detail::start_subprocess(
        detail::protocol_maker(static_cast<F&&>(factory)), detail::shell_command(cmd), options));
}

}  // namespace asyncio
