// A chat: who comes gives a name, and what anybody says is told to all others. Use it with netcat.
//
//     chat_server [PORT]         then in several terminals: nc 127.0.0.1 PORT
#include <asyncio/asyncio.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

using namespace std::chrono_literals;

std::map<std::string, asyncio::StreamWriter> guests;

/// Nobody is waited for: a guest who does not read is thrown out when a megabyte has piled up.
void tell_all(const std::string& text, const std::string& but_not) {
    for (auto& [name, writer] : guests) {
        if (name == but_not) continue;
        writer.write(text + "\n");
        if (writer.get_write_buffer_size() > 1'000'000) writer.abort();
    }
}

asyncio::Coro<std::string> next_line(asyncio::StreamReader& reader) {
    std::string line = co_await reader.readline();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    co_return line;
}

asyncio::Coro<std::string> ask_for_a_name(asyncio::StreamReader& reader, asyncio::StreamWriter& writer) {
    while (!reader.at_eof()) {
        writer.write("Your name? ");
        std::string name = co_await next_line(reader);
        if (!name.empty() && name.size() <= 20 && guests.emplace(name, writer).second) co_return name;
        writer.write("That one is taken, empty or too long.\n");
    }
    co_return "";
}

asyncio::Coro<> chat(asyncio::StreamReader& reader, asyncio::StreamWriter& writer, const std::string& name) {
    std::string list;
    for (const auto& [guest, unused] : guests) list += guest == name ? "" : " " + guest;
    writer.write("Hello " + name + ". Here:" + (list.empty() ? " nobody" : list) + "\n");
    tell_all("* " + name + " comes in", name);
    while (!reader.at_eof()) {
        std::string line = co_await next_line(reader);
        if (!line.empty()) tell_all(name + ": " + line, name);
        co_await writer.drain();
    }
}

asyncio::Coro<> serve_guest(asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    std::string name;
    try {
        name = co_await asyncio::wait_for(ask_for_a_name(reader, writer), 60s);
        if (!name.empty()) co_await chat(reader, writer, name);
    } catch (const asyncio::OSError&) {     // lost, or no name in a minute
    } catch (const asyncio::ValueError&) {  // a line of more than 64 KiB
    }
    if (guests.erase(name) > 0) tell_all("* " + name + " leaves", name);
    writer.close();
}

asyncio::Coro<> amain(int port) {
    asyncio::Server server = co_await asyncio::start_server(serve_guest, "127.0.0.1", port);
    asyncio::AnyTask self = asyncio::current_task();
    asyncio::get_running_loop().add_signal_handler(SIGTERM, [self]() mutable { self.cancel(); });
    std::printf("serving on %s\n", repr(server.sockets()[0].getsockname()).c_str());
    try {
        co_await server.serve_forever();
    } catch (const asyncio::CancelledError&) {  // all connections are closed, and their guests told
    }
}

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    asyncio::run(amain(argc > 1 ? std::atoi(argv[1]) : 0));
}
