#include "net/connecting.h"

#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/log.h>
#include <asyncio/errors/os_errors.h>
#include <asyncio/net/sock.h>
#include <asyncio/tasks/staggered_race.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

namespace asyncio::detail {

namespace {

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

std::string repr_of(AddressFamily family) {
    const char* name = family == AddressFamily::INET ? "AF_INET" : family == AddressFamily::INET6 ? "AF_INET6" : "?";
    return std::string("<AddressFamily.") + name + ": " + std::to_string(static_cast<int>(family)) + ">";
}

void bind_to_one(Socket& socket, const std::vector<AddressInfo>& local, std::vector<std::exception_ptr>& errors) {
    for (const AddressInfo& info : local) {
        if (info.family != socket.family()) continue;
        try {
            socket.bind(info.address);
            return;
        } catch (const OSError& error) {
            errors.push_back(bind_error(error, info.address));
        }
    }
    if (errors.empty()) {
        throw OSError("no matching local address with family=" + repr_of(socket.family()) + " found");
    }
    std::exception_ptr last = errors.back();
    errors.pop_back();
    std::rethrow_exception(last);
}

}  // namespace

void remove_stale_socket(const std::string& path) {
    struct stat file = {};
    int failed = ::stat(path.c_str(), &file);
    if (failed == 0 && S_ISSOCK(file.st_mode)) failed = ::unlink(path.c_str());
    if (failed == 0 || errno == ENOENT) return;
    log(LogLevel::error,
        "Unable to check or remove stale UNIX socket " + detail::quoted(path) + ": " + str(make_os_error(errno)));
}

std::exception_ptr bind_error(const OSError& error, const SocketAddress& address) {
    return make_os_error(error.errno_value(),
                         "error while attempting to bind on address " + repr(address) + ": " + lower(error.what()));
}

void throw_connect_errors(const ConnectErrors& lists, bool all_errors) {
    std::vector<std::exception_ptr> errors;
    for (const auto& list : lists) errors.insert(errors.end(), list->begin(), list->end());
    if (all_errors) std::rethrow_exception(make_exception_group("create_connection failed", errors));
    if (errors.empty()) throw TimeoutError("create_connection failed");
    std::string first = str(errors.front());
    bool all_same = true;
    std::string all;
    for (const std::exception_ptr& error : errors) {
        std::string text = str(error);
        all_same = all_same && text == first;
        all += (all.empty() ? "" : ", ") + text;
    }
    if (all_same) std::rethrow_exception(errors.front());
    throw OSError("Multiple exceptions: " + all);
}

// CPython: base_events.py, BaseEventLoop._connect_sock
Coro<Socket> connect_socket(ConnectErrors& errors, AddressInfo info, const std::vector<AddressInfo>* local) {
    errors.push_back(std::make_unique<std::vector<std::exception_ptr>>());
    std::vector<std::exception_ptr>& mine = *errors.back();
    Socket socket;
    try {
        socket = Socket(info.family, info.type, info.proto);
        if (local != nullptr) bind_to_one(socket, *local, mine);
        co_await sock_connect(socket, info.address);
    } catch (const OSError&) {
        mine.push_back(std::current_exception());
        throw;
    }
    co_return socket;
}

// CPython: base_events.py, _interleave_addrinfos
std::vector<AddressInfo> interleave_families(const std::vector<AddressInfo>& infos, int count) {
    std::vector<std::vector<AddressInfo>> by_family;
    for (const AddressInfo& info : infos) {
        auto same = [&](const std::vector<AddressInfo>& list) { return list.front().family == info.family; };
        auto found = std::find_if(by_family.begin(), by_family.end(), same);
        if (found == by_family.end()) found = by_family.emplace(by_family.end());
        found->push_back(info);
    }
    std::vector<AddressInfo> ordered;
    ordered.reserve(infos.size());
    std::size_t first = count > 1 ? std::min(static_cast<std::size_t>(count) - 1, by_family.front().size()) : 0;
    for (std::size_t i = 0; i < first; ++i) ordered.push_back(by_family.front()[i]);
    by_family.front().erase(by_family.front().begin(), by_family.front().begin() + static_cast<std::ptrdiff_t>(first));
    for (std::size_t i = 0; ordered.size() < infos.size(); ++i) {
        for (const std::vector<AddressInfo>& list : by_family) {
            if (i < list.size()) ordered.push_back(list[i]);
        }
    }
    return ordered;
}

namespace {

/// An attempt without memory for an error has noted none.
void rethrow_lack_of_memory(const std::vector<std::exception_ptr>& errors) {
    for (const std::exception_ptr& error : errors) {
        if (exception_cast<std::bad_alloc>(error) != nullptr) std::rethrow_exception(error);
    }
}

/// An attempt that staggered_race() may begin.
class Attempt {
public:
    Attempt(ConnectErrors& errors, const AddressInfo& info, const std::vector<AddressInfo>* local) noexcept
        : errors_(&errors), info_(&info), local_(local) {}
    Coro<Socket> operator()() const { return connect_socket(*errors_, *info_, local_); }

private:
    ConnectErrors* errors_;
    const AddressInfo* info_;
    const std::vector<AddressInfo>* local_;
};

}  // namespace

Coro<std::optional<Socket>> connect_staggered(ConnectErrors& errors, const std::vector<AddressInfo>& infos,
                                              const std::vector<AddressInfo>* local, Seconds delay) {
    std::vector<Attempt> attempts;
    attempts.reserve(infos.size());
    for (const AddressInfo& info : infos) attempts.emplace_back(errors, info, local);
    StaggeredRace<Socket> race = co_await staggered_race(std::move(attempts), delay);
    if (!race.winner_result) rethrow_lack_of_memory(race.exceptions);
    co_return std::move(race.winner_result);
}

}  // namespace asyncio::detail
