#include <asyncio/net/dns.h>

#include "core/wait_story.h"
#include "loop/loop_core.h"
#include "net/look_ups.h"

#include <asyncio/net/waiter_call.h>
#include <asyncio/tasks/wait_for.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>
#include <utility>

namespace asyncio::detail {

namespace {

[[noreturn]] void throw_gaierror(int code, std::string_view name) {
    if (code == EAI_SYSTEM) throw_os_error(errno, {}, name);
    throw gaierror(code, ::gai_strerror(code), name);
}

/// As Python's int(): a port that is a number in digits; one that fits no port if it is too long.
std::optional<int> number_of(const Port& port) {
    if (!port.has_value()) return 0;
    if (port.is_number()) return port.number();
    std::string_view text = port.service();
    if (text.empty()) return 0;
    // The C library skips what is before the digits, too.
    constexpr const char* spaces = " \t\n\v\f\r";
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    text = text.substr(0, text.find_last_not_of(spaces) + 1);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    int number = 0;
    const char* begin = text.data();
    const char* end = begin + text.size();
    auto [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc::invalid_argument || stop != end) return std::nullopt;
    return error == std::errc() ? number : INT_MAX;
}

/// Asks the C library, which blocks while it looks up a name. A code of its own for failure; else something is found.
int look_up(const AddressQuery& query, int more_flags, std::vector<AddressInfo>& found) {
    addrinfo hints = {};
    hints.ai_family = static_cast<int>(query.family);
    hints.ai_socktype = static_cast<int>(query.type);
    hints.ai_protocol = query.proto;
    hints.ai_flags = query.flags | more_flags;
    Host host = query.host.get();
    Port port = query.port.get();
    std::string name = host.str();
    std::string service = port.is_number() ? std::to_string(port.number()) : std::string(port.service());
    // The C library would cut off both what is behind a zero byte and what is above 16 bits.
    for (std::string_view text : {std::string_view(name), std::string_view(service)}) {
        if (text.find('\0') != text.npos) throw ValueError("embedded null character");
    }
    std::optional<int> number = number_of(port);
    if (number && (*number < 0 || *number > 65535)) return EAI_SERVICE;
    addrinfo* list = nullptr;
    int code = ::getaddrinfo(host.has_value() ? name.c_str() : nullptr, port.has_value() ? service.c_str() : nullptr,
                             &hints, &list);
    if (code != 0) return code;
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        if (entry->ai_addrlen > SocketAddress::capacity) continue;
        found.push_back({static_cast<AddressFamily>(entry->ai_family), static_cast<SocketKind>(entry->ai_socktype),
                         entry->ai_protocol, entry->ai_canonname != nullptr ? entry->ai_canonname : "",
                         SocketAddress::from_native(entry->ai_addr, entry->ai_addrlen)});
    }
    return found.empty() ? EAI_NONAME : 0;
}

NameInfo look_up_name(const SocketAddress& address, int flags) {
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    int code = ::getnameinfo(static_cast<const sockaddr*>(address.native()), address.native_size(), host, sizeof host,
                             service, sizeof service, flags);
    if (code != 0) throw_gaierror(code, repr(address));
    return {host, service};
}

class LookUpWaiter : public ThreadWaiter {
public:
    explicit LookUpWaiter(Ref<FutureBase> answer) noexcept : ThreadWaiter(std::move(answer)) {}
    void tell(WaitStory& story) const override { story.text = "<look-up of a name>"; }

protected:
    ~LookUpWaiter() = default;
};

/// The answer of a look-up that others may wait for as well: to be cancelled is to stop waiting.
class AnswerWaiter : public LookUpWaiter {
public:
    explicit AnswerWaiter(Ref<FutureBase> answer) noexcept : LookUpWaiter(std::move(answer)) {}
    bool cancel(const Ref<CancelRequest>& request) override { return !is_done() && Waiter::cancel(request); }

protected:
    ~AnswerWaiter() = default;
};

class [[nodiscard]] Answer : public NativeAwaitable {
public:
    explicit Answer(Ref<FutureBase> answer) noexcept : answer_(std::move(answer)) {}
    FutureAwaiter<std::vector<AddressInfo>, false, AnswerWaiter> operator co_await() {
        return FutureAwaiter<std::vector<AddressInfo>, false, AnswerWaiter>(std::move(answer_));
    }

private:
    Ref<FutureBase> answer_;
};

}  // namespace

std::vector<AddressInfo> look_up_or_throw(const AddressQuery& query) {
    std::vector<AddressInfo> found;
    int code = look_up(query, 0, found);
    if (code == EAI_SERVICE) {
        Port port = query.port.get();
        std::string text = port.is_number() ? std::to_string(port.number()) : std::string(port.service());
        throw gaierror(code, std::string(::gai_strerror(code)) + ": port " + text, query.host.get().name());
    }
    if (code != 0) throw_gaierror(code, query.host.get().name());
    return found;
}

// CPython: base_events.py, _ipaddr_info
std::optional<AddressInfo> literal_address(const AddressQuery& query) {
    Host host = query.host.get();
    bool any_proto = query.proto == 0 || query.proto == IPPROTO_TCP || query.proto == IPPROTO_UDP;
    if (!any_proto || !host.has_value()) return std::nullopt;
    int proto = 0;
    if (query.type == SocketKind::STREAM) {
        proto = IPPROTO_TCP;
    } else if (query.type == SocketKind::DGRAM) {
        proto = IPPROTO_UDP;
    } else {
        return std::nullopt;
    }
    std::optional<int> port = number_of(query.port.get());
    if (!port || host.name().find('%') != host.name().npos) return std::nullopt;
    std::string name = host.str();
    if (name.find('\0') != name.npos) return std::nullopt;
    for (AddressFamily family : {AddressFamily::INET, AddressFamily::INET6}) {
        if (query.family != AddressFamily::UNSPEC && query.family != family) continue;
        in6_addr room;
        if (::inet_pton(static_cast<int>(family), name.c_str(), &room) != 1) continue;
        return AddressInfo{family, query.type, proto, "", SocketAddress(name, *port)};
    }
    return std::nullopt;
}

Coro<std::vector<AddressInfo>> resolve(AddressQuery query) {
    if (std::optional<AddressInfo> literal = literal_address(query)) {
        std::vector<AddressInfo> found;
        found.push_back(std::move(*literal));
        co_return found;
    }
    co_return co_await getaddrinfo(std::move(query));
}

Coro<std::vector<AddressInfo>> getaddrinfo(AddressQuery query) {
    // What is given in numbers is answered without asking anybody.
    std::vector<AddressInfo> found;
    Port port = query.port.get();
    if (!port.has_value() || port.is_number() || number_of(port)) {
        int code = look_up(query, AI_NUMERICHOST | AI_NUMERICSERV, found);
        if (code == 0) co_return found;
    }
    LookUpWait wait(running_core().service<LookUps>().find_or_begin(query));
    co_return co_await Answer(wait.future());
}

Coro<std::vector<AddressInfo>> getaddrinfo_in_time(AddressQuery query, Seconds timeout) {
    std::string text = "the look-up of " + detail::quoted(query.host.get().name()) + " took too long";
    try {
        co_return co_await asyncio::wait_for(getaddrinfo(std::move(query)), timeout);
    } catch (const TimeoutError&) {
        throw TimeoutError(text);
    }
}

Coro<NameInfo> getnameinfo(SocketAddress address, int flags) {
    constexpr int numbers = NI_NUMERICHOST | NI_NUMERICSERV;
    if ((flags & numbers) == numbers) co_return look_up_name(address, flags);
    LoopCore& loop = running_core();
    Future<NameInfo> answer = run_in_executor(loop, loop.service<LookUps>().executor(), look_up_name, address, flags);
    using Wait = WaiterCall<FutureAwaiter<NameInfo, true, LookUpWaiter>, Ref<FutureBase>>;
    co_return co_await Wait(Ref<FutureBase>(answer.state_or_null()));
}

}  // namespace asyncio::detail
