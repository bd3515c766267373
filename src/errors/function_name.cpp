#include "errors/function_name.h"

#include <cstddef>

namespace asyncio::detail {

namespace {

/// Where the bracket is that closes the one at `open`.
std::size_t closing_bracket(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')' && --depth == 0) return i;
    }
    return open;
}

/// Lambdas, and the functions around them, lose their parameters: `A::f(int) const::<lambda(int)>` is `A::f::<lambda>`.
std::string without_outer_parameters(std::string_view signature) {
    std::string text(signature);
    for (std::size_t at; (at = text.find("<lambda(")) != std::string::npos;) {
        std::size_t open = at + 7;
        text.erase(open, closing_bracket(text, open) + 1 - open);
    }
    for (std::string_view qualifiers : {" const", " const &", " const &&", " &", " &&"}) {
        std::string tail = ")" + std::string(qualifiers) + "::";
        for (std::size_t at; (at = text.find(tail)) != std::string::npos;) text.erase(at + 1, qualifiers.size());
    }
    for (std::size_t from = 0, end; (end = text.find(")::", from)) != std::string::npos;) {
        std::size_t begin = end;
        for (int depth = 1; depth > 0 && begin > 0;) {
            --begin;
            if (text[begin] == ')') ++depth;
            if (text[begin] == '(') --depth;
        }
        std::string_view inside = std::string_view(text).substr(begin, end - begin + 1);
        bool is_name = inside == "(anonymous class)" || inside == "(anonymous namespace)";
        if (is_name) {
            from = end + 1;
        } else {
            text.erase(begin, inside.size());
            from = begin;
        }
    }
    return text;
}

/// The name alone.
std::string short_name(std::string_view whole_signature) {
    whole_signature = whole_signature.substr(0, whole_signature.find(" [with "));
    if (whole_signature.ends_with(']')) whole_signature = whole_signature.substr(0, whole_signature.rfind(" ["));
    std::string without_parameters = without_outer_parameters(whole_signature);
    std::string_view signature = without_parameters;
    // The parameter list that ends the signature, then the name before it: brackets nest.
    std::size_t end = signature.size();
    std::size_t tail = signature.rfind(')');
    if (tail != std::string_view::npos && !signature.ends_with('>')) {
        int depth = 0;
        for (std::size_t i = tail + 1; i-- > 0;) {
            if (signature[i] == ')') ++depth;
            if (signature[i] == '(' && --depth == 0) {
                end = i;
                break;
            }
        }
    }
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = end; i-- > 0;) {
        char c = signature[i];
        if (c == '>' || c == ')' || c == '}') ++depth;
        if (c == '<' || c == '(' || c == '{') --depth;
        if (c == ' ' && depth == 0) {
            begin = i + 1;
            break;
        }
    }
    std::string name(signature.substr(begin, end - begin));
    for (std::size_t at; (at = name.find("(anonymous class)")) != std::string::npos;) name.replace(at, 17, "<lambda>");
    for (std::size_t at; (at = name.find("(anonymous namespace)::")) != std::string::npos;) name.erase(at, 23);
    for (std::size_t at; (at = name.find("{anonymous}::")) != std::string::npos;) name.erase(at, 13);
    for (std::size_t at; (at = name.find("::operator()")) != std::string::npos;) name.erase(at, 12);
    return name;
}

/// The coroutine that makes a task of an awaitable is called after that one.
struct OfAwaitable {
    const char* type;
    const char* name;
};
constexpr OfAwaitable of_awaitables[] = {
    {"Sleep", "sleep"},
    {"EventWaiter", "Event::wait"},
    {"JoinWaiter", "Queue::join"},
    {"LockWaiter", "Lock::acquire"},
    {"BarrierWaiter", "Barrier::wait"},
    {"SemaphoreWaiter", "Semaphore::acquire"},
    {"ConditionWaiter", "Condition::wait"},
    {"GetAwaiter", "Queue::get"},
    {"PutOperation", "Queue::put"},
    {"ExitWaiter", "subprocess::Process::wait"},
    {"Wait<", "wait"},
    {"ServerClosedWaiter", "Server::wait_closed"},
    {"ReadLineWaiter", "StreamReader::readline"},
    {"ReadSomeWaiter", "StreamReader::read"},
    {"ReadExactlyWaiter", "StreamReader::readexactly"},
    {"DrainWaiter", "StreamWriter::drain"},
    {"WaitClosedWaiter", "StreamWriter::wait_closed"},
    {"ReadIntoWaiter", "StreamReader::read_into"},
    {"ReadUntilWaiter", "StreamReader::readuntil"},
    {"NextLineWaiter", "StreamReader::next"},
    {"RecvWaiter", "sock_recv"},
    {"RecvIntoWaiter", "sock_recv_into"},
    {"RecvFromWaiter", "sock_recvfrom"},
    {"RecvFromIntoWaiter", "sock_recvfrom_into"},
    {"SendAllWaiter", "sock_sendall"},
    {"SendToWaiter", "sock_sendto"},
    {"AcceptWaiter", "sock_accept"},
    {"ConnectWaiter", "sock_connect"},
};

struct OfWrapper {
    const char* function;
    const char* name;
};
// tools/debuggers/asyncio_reader.py has the same.
constexpr OfWrapper of_wrappers[] = {
    {"with_statement", "with"},
    {"try_except_statement", "try_except"},
    {"clean_up", "try_finally"},
    {"wait_for_in_time", "wait_for"},
    {"wait_for_no_time", "wait_for"},
    {"close_generator", "AsyncGenerator::aclose"},
    {"Race::run", "staggered_race"},
    {"Race::run_one", "staggered_race"},
    {"Race::wait_and_start_next", "staggered_race"},
    {"wait_until", "staggered_race"},
    {"resolve", "getaddrinfo"},
    {"getaddrinfo_in_time", "getaddrinfo"},
    {"sock_connect_to_host", "sock_connect"},
    {"send_by_reading", "sock_sendfile"},
    {"SocketTransport::send_file_behind", "sendfile"},
    {"TlsTransport::send_file", "sendfile"},
    {"upgrade", "start_tls"},
    {"upgrade_stream", "StreamWriter::start_tls"},
    {"begin_tls", "start_tls"},
    {"connect", "create_connection"},
    {"connect_socket", "create_connection"},
    {"make_connection", "create_connection"},
    {"connect_unix", "create_unix_connection"},
    {"accepted_socket", "connect_accepted_socket"},
    {"open_streams", "open_connection"},
    {"open_endpoint", "create_datagram_endpoint"},
    {"open_first", "create_datagram_endpoint"},
    {"open_socket", "create_datagram_endpoint"},
    {"find_candidates", "create_datagram_endpoint"},
    {"connect_to_read", "connect_read_pipe"},
    {"connect_to_write", "connect_write_pipe"},
    {"serve", "create_server"},
    {"listen", "create_server"},
    {"listen_at_path", "create_unix_server"},
    {"start_serving_and_pass", "Server::start_serving"},
    {"serve_until_cancelled", "Server::serve_forever"},
    {"close_and_wait", "Server::aexit"},
    {"start_process", "create_subprocess"},
    {"start_child", "create_subprocess"},
    {"start_with_protocol", "create_subprocess"},
    {"SubprocessState::connect_pipes", "create_subprocess"},
    {"communicate_with", "subprocess::Process::communicate"},
    {"feed", "subprocess::Process::communicate"},
    {"read_all", "subprocess::Process::communicate"},
    {"ended", "subprocess::Process::wait"},
    {"end_of", "subprocess::Process::wait"},
    {"run_to_the_end", "run_process"},
    {"attend", "run_process"},
    {"collect", "run_process"},
    {"end_children", "run_process"},
    {"ask_to_end", "run_process"},
    {"in_peace", "run_process"},
};

std::string name_of_awaitable(std::string_view whole_signature) {
    std::size_t begin = whole_signature.find("A = ");
    if (begin == std::string_view::npos) return "awaitable";
    std::string_view type = whole_signature.substr(begin, whole_signature.find(';', begin) - begin);
    for (const OfAwaitable& of : of_awaitables) {
        std::size_t place = type.find(of.type);
        bool is_word = place != std::string_view::npos && std::string_view(" :<").find(type[place - 1]) < 3;
        if (is_word) return of.name;
    }
    return "awaitable";
}

/// `name` is without `asyncio::detail::`.
std::string name_of_wrapper(std::string_view name, std::string_view whole_signature) {
    if (name == "as_coroutine" || name == "just_await") return name_of_awaitable(whole_signature);
    for (const OfWrapper& of : of_wrappers) {
        if (name == of.function) return of.name;
    }
    return std::string(name);
}

}  // namespace

bool is_of_library(std::string_view whole_signature) {
    return std::string_view(short_name(whole_signature)).starts_with("asyncio::");
}

std::string function_name(std::string_view whole_signature) {
    constexpr std::string_view inside = "asyncio::detail::";
    std::string name = short_name(whole_signature);
    bool is_wrapper = std::string_view(name).starts_with(inside);
    if (!is_wrapper) return name == "asyncio::Condition::wait_until_true" ? "asyncio::Condition::wait_for" : name;
    return "asyncio::" + name_of_wrapper(std::string_view(name).substr(inside.size()), whole_signature);
}

}  // namespace asyncio::detail
