// Keeps values under keys, and forgets them when their time is over. A command is a line, and so is its answer, so that
// netcat is a client:
//
//     key_value_server [PORT [CLIENTS [MEGABYTES [SECONDS OF PATIENCE]]]]     then: nc 127.0.0.1 PORT
//
//     SET key value...  OK                    EXPIRE key seconds  1, or 0 if there is no such key
//     GET key           the value, or (nil)   TTL key             seconds left, -1: for ever, -2: no such key
//     DEL key           1, or 0               QUIT                ends the connection
//
// Keys and values take no more memory than that; a SET for which there is no room is refused.
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

class Store {
public:
    explicit Store(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    std::string answer(const std::string& line);

private:
    struct Entry {
        std::string value;
        asyncio::TimerHandle expiry = {};  // empty: never
    };
    using Entries = std::map<std::string, Entry, std::less<>>;

    /// What an entry takes; something for what is around its bytes too, or short ones would cost nothing.
    static std::size_t cost(const std::string& key, const std::string& value) {
        return key.size() + value.size() + 256;
    }
    bool set(const std::string& key, const std::string& value);
    void erase(Entries::iterator entry);
    void expire_in(asyncio::Seconds seconds, Entries::iterator entry);

    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    Entries entries_;
};

bool Store::set(const std::string& key, const std::string& value) {
    auto old = entries_.find(key);
    std::size_t less = old == entries_.end() ? 0 : cost(key, old->second.value);
    if (bytes_ - less + cost(key, value) > most_bytes_) return false;
    Entry entry{value};
    if (old != entries_.end()) erase(old);
    entries_.emplace(key, std::move(entry));
    bytes_ += cost(key, value);
    return true;
}

void Store::erase(Entries::iterator entry) {
    if (entry->second.expiry) entry->second.expiry.cancel();
    bytes_ -= cost(entry->first, entry->second.value);
    entries_.erase(entry);
}

void Store::expire_in(asyncio::Seconds seconds, Entries::iterator entry) {
    auto timer = asyncio::get_running_loop().call_later(seconds, [this, entry] { erase(entry); });
    if (entry->second.expiry) entry->second.expiry.cancel();
    entry->second.expiry = timer;  // whoever erases the entry cancels it
}

std::string Store::answer(const std::string& line) {
    auto word_end = [&](std::size_t from) { return std::min(line.find(' ', from), line.size()); };
    std::size_t command_end = word_end(0);
    std::string command = line.substr(0, command_end);
    std::size_t key_begin = std::min(command_end + 1, line.size());
    std::size_t key_end = word_end(key_begin);
    std::string key = line.substr(key_begin, key_end - key_begin);
    std::string rest = key_end < line.size() ? line.substr(key_end + 1) : "";
    if (key.empty()) return "ERR a command and a key, please";
    auto found = entries_.find(key);
    bool exists = found != entries_.end();

    if (command == "SET") return set(key, rest) ? "OK" : "ERR no room";
    if (command == "GET") return exists ? found->second.value : "(nil)";
    if (command == "DEL") {
        if (exists) erase(found);
        return exists ? "1" : "0";
    }
    if (command == "EXPIRE") {
        char* end = nullptr;
        double seconds = std::strtod(rest.c_str(), &end);
        bool is_number = !rest.empty() && end == rest.c_str() + rest.size();
        if (!is_number || !(seconds >= 0 && seconds < 1e9)) return "ERR not a number of seconds";
        if (exists) expire_in(asyncio::Seconds(seconds), found);
        return exists ? "1" : "0";
    }
    if (command == "TTL") {
        if (!exists) return "-2";
        if (!found->second.expiry) return "-1";
        auto left = found->second.expiry.when() - asyncio::get_running_loop().time();
        return std::to_string(std::lround(left.count()));
    }
    return "ERR unknown command " + command;
}

struct Service {
    Store store;
    asyncio::Semaphore places;
    asyncio::Seconds patience;
};

asyncio::Coro<> serve_client(Service& service, asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    if (service.places.locked()) {
        writer.write("ERR no place is free\n");
        co_return;  // nobody has a handle of the stream now, so it is closed
    }
    auto place = co_await service.places.guard();
    try {
        while (true) {
            std::optional<std::string> line = co_await asyncio::wait_for(reader.next(), service.patience);
            if (!line || line->back() != '\n') break;  // a command that was cut off is none
            while (!line->empty() && (line->back() == '\n' || line->back() == '\r')) line->pop_back();
            if (*line == "QUIT") break;
            writer.write(service.store.answer(*line) + "\n");
            co_await asyncio::wait_for(writer.drain(), service.patience);  // who does not read is not read from
        }
    } catch (const asyncio::OSError&) {  // lost, or a TimeoutError
    } catch (const asyncio::ValueError&) {
        writer.write("ERR line too long\n");
    }
    co_await close_in_time(writer, service.patience);
}

asyncio::Coro<> serve(Service& service, int port) {
    auto serve_one = [&service](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
        return serve_client(service, std::move(reader), std::move(writer));
    };
    asyncio::Server server = co_await asyncio::start_server(serve_one, "127.0.0.1", port, {.keep_alive = true});
    co_await serve_until_a_signal(server);
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto port = number(argc, argv, 1, 0, 0, 65535), clients = number(argc, argv, 2, 500, 1, 1e6);
    auto megabytes = number(argc, argv, 3, 100, 0, 1e6), patience = number(argc, argv, 4, 600, 0.01, 1e6);
    if (argc > 5 || !port || !clients || !megabytes || !patience) {
        std::fputs("usage: key_value_server [PORT [CLIENTS [MEGABYTES [SECONDS OF PATIENCE]]]]\n", stderr);
        return 2;
    }
    Service service{Store(static_cast<std::size_t>(*megabytes * 1e6)), asyncio::Semaphore(static_cast<int>(*clients)),
                    asyncio::Seconds(*patience)};
    return run_and_report(serve(service, static_cast<int>(*port)));
}
