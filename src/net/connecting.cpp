#include "net/connecting.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/exception_group.h>
#include <asyncio/core/os_errors.h>
#include <asyncio/net/sock.h>
#include <asyncio/sync/event.h>
#include <asyncio/tasks/wait_for.h>

#include <algorithm>
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

/// CPython: staggered.py, staggered_race
struct Race {
    Race(ConnectErrors& its_errors, const std::vector<AddressInfo>& its_infos,
         const std::vector<AddressInfo>* its_local, Seconds its_delay)
        : errors(its_errors), infos(its_infos), local(its_local), delay(its_delay) {}

    ConnectErrors& errors;
    const std::vector<AddressInfo>& infos;
    const std::vector<AddressInfo>* local;
    Seconds delay;
    std::size_t next = 0;
    std::optional<Socket> winner;
    std::vector<AnyTask> running;
    Future<> all_done;
    std::vector<std::exception_ptr> unhandled;
};

void start_next(const std::shared_ptr<Race>& race, std::shared_ptr<Event> previous_failed);

/// One attempt. Begins when the one before has failed or taken too long, and lets the next wait for the same.
Coro<> run_one(std::shared_ptr<Race> race, std::shared_ptr<Event> may_start, std::shared_ptr<Event> previous_failed) {
    co_await may_start->wait();
    if (previous_failed) {
        try {
            co_await wait_for(previous_failed->wait(), race->delay);
        } catch (const TimeoutError&) {
        }
    }
    if (race->next == race->infos.size()) co_return;
    const AddressInfo& info = race->infos[race->next++];
    auto failed = std::make_shared<Event>();
    start_next(race, failed);
    Socket socket;
    try {
        socket = co_await connect_socket(race->errors, info, race->local);
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) throw;
    }
    if (!socket) {
        failed->set();
        co_return;
    }
    race->winner = std::move(socket);
    AnyTask self = current_task();
    std::vector<AnyTask> others = race->running;
    for (const AnyTask& task : others) {
        if (task != self) task.cancel();
    }
}

void start_next(const std::shared_ptr<Race>& race, std::shared_ptr<Event> previous_failed) {
    auto may_start = std::make_shared<Event>();
    AnyTask task = create_task(run_one(race, may_start, std::move(previous_failed)));
    race->running.push_back(task);
    task.add_done_callback([race](const AnyTask& done) {
        std::erase(race->running, done);
        if (race->running.empty() && race->all_done && !race->all_done.done()) race->all_done.set_result();
        if (!done.cancelled() && done.exception()) race->unhandled.push_back(done.exception());
    });
    may_start->set();
}

}  // namespace

Coro<std::optional<Socket>> connect_staggered(ConnectErrors& errors, const std::vector<AddressInfo>& infos,
                                              const std::vector<AddressInfo>* local, Seconds delay) {
    auto race = std::make_shared<Race>(errors, infos, local, delay);
    start_next(race, nullptr);
    std::exception_ptr cancelled;
    while (!race->running.empty()) {
        race->all_done = get_running_loop().create_future<>();
        try {
            co_await race->all_done;
        } catch (const CancelledError& error) {
            cancelled = std::current_exception();
            std::vector<AnyTask> running = race->running;
            for (const AnyTask& task : running) task.cancel(error.message());
        }
        race->all_done = {};
    }
    if (!race->unhandled.empty())
        std::rethrow_exception(make_exception_group("staggered race failed", race->unhandled));
    if (cancelled) std::rethrow_exception(cancelled);
    co_return std::move(race->winner);
}

}  // namespace asyncio::detail
