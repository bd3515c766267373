#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/net/dns.h>
#include <asyncio/net/socket.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asyncio::detail {

/// What went wrong in the attempts to connect, a list for each, in the order in which they began.
using ConnectErrors = std::vector<std::unique_ptr<std::vector<std::exception_ptr>>>;

/// Makes a socket, binds it to one of the local addresses if there are any, and connects it.
Coro<Socket> connect_socket(ConnectErrors& errors, AddressInfo info, const std::vector<AddressInfo>* local);

/// Tries one address after the other, each also when the one before has taken `delay`, until one is connected; then
/// gives up the others. Nothing if none could be. The arguments must live until it is over.
Coro<std::optional<Socket>> connect_staggered(ConnectErrors& errors, const std::vector<AddressInfo>& infos,
                                              const std::vector<AddressInfo>* local, Seconds delay);

/// Throws what `open_connection()` does when no attempt succeeded: one error, or all of them together.
[[noreturn]] void throw_connect_errors(const ConnectErrors& lists, bool all_errors);

/// Lets address families alternate behind the first `count` addresses of the first family.
std::vector<AddressInfo> interleave_families(const std::vector<AddressInfo>& infos, int count);

/// Removes a socket that is left over at a path; logs if it cannot.
void remove_stale_socket(const std::string& path);

/// The text of an exception about a failed bind().
std::exception_ptr bind_error(const OSError& error, const SocketAddress& address);

}  // namespace asyncio::detail
