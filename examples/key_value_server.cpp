// Keeps values under keys, and forgets them when their time is over. A command is a line, and so is its answer, so that
// netcat is a client:
//
//     key_value_server [PORT]    then: nc 127.0.0.1 PORT
//
//     SET key value...  OK                    EXPIRE key seconds  1, or 0 if there is no such key
//     GET key           the value, or (nil)   TTL key             seconds left, -1: for ever, -2: no such key
//     DEL key           1, or 0               QUIT                ends the connection
#include <asyncio/asyncio.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

struct Entry {
    std::string value;
    asyncio::TimerHandle expiry;  // empty: never
};
std::map<std::string, Entry, std::less<>> entries;

void set_expiry(Entry& entry, asyncio::TimerHandle timer) {
    if (entry.expiry) entry.expiry.cancel();
    entry.expiry = timer;
}

std::string answer(const std::string& line) {
    auto word_end = [&](std::size_t from) { return std::min(line.find(' ', from), line.size()); };
    std::size_t command_end = word_end(0);
    std::string command = line.substr(0, command_end);
    std::size_t key_begin = std::min(command_end + 1, line.size());
    std::size_t key_end = word_end(key_begin);
    std::string key = line.substr(key_begin, key_end - key_begin);
    std::string rest = key_end < line.size() ? line.substr(key_end + 1) : "";
    if (key.empty()) return "ERR a command and a key, please";
    auto found = entries.find(key);
    bool exists = found != entries.end();

    if (command == "SET") {
        Entry& entry = entries[key];
        set_expiry(entry, {});
        entry.value = rest;
        return "OK";
    }
    if (command == "GET") return exists ? found->second.value : "(nil)";
    if (command == "DEL") {
        if (exists) set_expiry(found->second, {});
        return std::to_string(entries.erase(key));
    }
    if (command == "EXPIRE") {
        char* end = nullptr;
        double seconds = std::strtod(rest.c_str(), &end);
        if (rest.empty() || *end != '\0' || !(seconds >= 0 && seconds < 1e9)) return "ERR not a number of seconds";
        if (!exists) return "0";
        set_expiry(found->second, asyncio::get_running_loop().call_later(seconds, [key] { entries.erase(key); }));
        return "1";
    }
    if (command == "TTL") {
        if (!exists) return "-2";
        if (!found->second.expiry) return "-1";
        auto left = found->second.expiry.when() - asyncio::get_running_loop().time();
        return std::to_string(std::lround(left.count()));
    }
    return "ERR unknown command " + command;
}

asyncio::Coro<> serve(asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    try {
        while (auto line = co_await reader.next()) {
            while (!line->empty() && (line->back() == '\n' || line->back() == '\r')) line->pop_back();
            if (*line == "QUIT") break;
            writer.write(answer(*line) + "\n");
            co_await writer.drain();
        }
    } catch (const asyncio::ConnectionError&) {
    } catch (const asyncio::ValueError&) {
        writer.write("ERR line too long\n");
    }
    writer.close();
}

asyncio::Coro<> amain(int port) {
    asyncio::Server server = co_await asyncio::start_server(serve, "127.0.0.1", port);
    asyncio::AnyTask self = asyncio::current_task();
    asyncio::get_running_loop().add_signal_handler(SIGTERM, [self]() mutable { self.cancel(); });
    std::printf("serving on %s\n", repr(server.sockets()[0].getsockname()).c_str());
    try {
        co_await server.serve_forever();
    } catch (const asyncio::CancelledError&) {
    }
    entries.clear();
}

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    asyncio::run(amain(argc > 1 ? std::atoi(argv[1]) : 0));
}
