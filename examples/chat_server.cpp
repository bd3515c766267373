// A chat: who comes gives a name, and what anybody says is told to all others. Use it with netcat.
//
//     chat_server [PORT [GUESTS [SECONDS FOR A NAME [SECONDS OF SILENCE]]]]     then: nc 127.0.0.1 PORT
//
// All has a limit: names, lines, how much is said at once and is kept for somebody who does not read, and how long
// somebody may be silent.
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

using namespace std::chrono_literals;

constexpr std::size_t longest_name = 20, most_unread = 64 * 1024;
constexpr int longest_line = 1000, most_tries = 5;

struct Room {
    asyncio::Semaphore places;
    asyncio::Seconds time_for_a_name, longest_silence;
    std::map<std::string, asyncio::StreamWriter> guests;
};

/// A guest's place in the room, who is in it from `take()` until this dies.
struct Seat {
    explicit Seat(Room& in) : room(in) {}
    ~Seat() { room.guests.erase(name); }
    Seat(const Seat&) = delete;

    bool take(const std::string& wanted, asyncio::StreamWriter writer) {
        if (room.guests.contains(wanted)) return false;
        name = wanted;
        return room.guests.emplace(name, writer).second;
    }

    Room& room;
    std::string name;
};

/// Nobody is waited for: a guest who does not read is thrown out.
void tell_all(Room& room, const std::string& text, const std::string& but_not) {
    for (auto& [name, writer] : room.guests) {
        if (name == but_not || writer.is_closing()) continue;
        writer.write(text + "\n");
        if (writer.get_write_buffer_size() > most_unread) {
            say(name + " does not read");
            writer.abort();
        }
    }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

/// What a line is without its end. Control characters could do anything to the terminals of the others.
asyncio::Coro<std::string> next_line(asyncio::StreamReader& reader) {
    std::string line = co_await reader.readline();
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    for (std::size_t at = 0; (at = line.find('\xc2', at)) != line.npos; ++at) {  // U+0080 to U+009F are controls too
        if (at + 1 < line.size() && (line[at + 1] & 0xe0) == 0x80) line.replace(at, 2, "?");
    }
    std::replace_if(line.begin(), line.end(), is_control, '?');
    co_return line;
}

/// Nobody can be taken for somebody else, or for the server, which begins with a star.
bool is_name(const std::string& text) {
    bool is_short = !text.empty() && text.size() <= longest_name;
    return is_short && text.find_first_of(" !\"#$%&'()*+,./:;<=>?@[\\]^`{|}~") == text.npos;
}

asyncio::Coro<> ask_for_a_name(Seat& seat, asyncio::StreamReader& reader, asyncio::StreamWriter& writer) {
    for (int tries = 0; tries < most_tries && !reader.at_eof(); ++tries) {
        writer.write("Your name? ");
        std::string name = co_await next_line(reader);
        if (is_name(name) && seat.take(name, writer)) co_return;
        writer.write("That one is taken, empty, too long, or has odd characters.\n");
    }
}

asyncio::Coro<> chat(Seat& seat, asyncio::StreamReader& reader, asyncio::StreamWriter& writer) {
    std::string here;
    for (const auto& [guest, unused] : seat.room.guests) here += guest == seat.name ? "" : " " + guest;
    writer.write("Hello " + seat.name + ". Here:" + (here.empty() ? " nobody" : here) + "\n");
    tell_all(seat.room, "* " + seat.name + " comes in", seat.name);
    while (!reader.at_eof()) {
        std::string line = co_await asyncio::wait_for(next_line(reader), seat.room.longest_silence);
        if (!line.empty()) tell_all(seat.room, seat.name + ": " + line, seat.name);
        co_await asyncio::sleep(10ms);  // who talks too fast is not listened to: the others could not read all that
    }
}

/// Serves a guest until there is a reason not to.
asyncio::Coro<std::string> serve_until_the_end(Seat& seat, asyncio::StreamReader& reader,
                                               asyncio::StreamWriter& writer) {
    try {
        // Or the kernel would keep megabytes for each who does not read.
        writer.get_extra_info("socket").socket().setsockopt(SOL_SOCKET, SO_SNDBUF, int{most_unread});
        co_await asyncio::wait_for(ask_for_a_name(seat, reader, writer), seat.room.time_for_a_name);
        if (!seat.name.empty()) co_await chat(seat, reader, writer);
    } catch (const asyncio::TimeoutError&) {
        co_return "is silent";
    } catch (const asyncio::OSError& error) {
        co_return error.what();
    } catch (const asyncio::ValueError&) {
        co_return "says too much in one line";
    }
    co_return "leaves";
}

asyncio::Coro<> serve_guest(Room& room, asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    if (room.places.locked()) {
        writer.write("No place is free.\n");
        co_return;
    }
    auto place = co_await room.places.guard();
    std::string peer = repr(writer.get_extra_info("peername")), name;
    {
        Seat seat(room);
        std::string why = co_await serve_until_the_end(seat, reader, writer);
        name = seat.name;
        say(peer + " " + name + " " + why);
    }
    if (!name.empty()) tell_all(room, "* " + name + " leaves", name);
    co_await close_in_time(writer);
}

asyncio::Coro<> serve(Room& room, int port) {
    auto serve_one = [&room](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
        return serve_guest(room, std::move(reader), std::move(writer));
    };
    asyncio::Server server =
        co_await asyncio::start_server(serve_one, "127.0.0.1", port, {.limit = longest_line, .keep_alive = true});
    co_await serve_until_a_signal(server);
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto port = number(argc, argv, 1, 0, 0, 65535), guests = number(argc, argv, 2, 100, 1, 10'000);
    auto for_a_name = number(argc, argv, 3, 60, 0, 1e6), silence = number(argc, argv, 4, 600, 0, 1e6);
    if (argc > 5 || !port || !guests || !for_a_name || !silence) {
        std::fputs("usage: chat_server [PORT [GUESTS [SECONDS FOR A NAME [SECONDS OF SILENCE]]]]\n", stderr);
        return 2;
    }
    Room room{
        asyncio::Semaphore(static_cast<int>(*guests)), asyncio::Seconds(*for_a_name), asyncio::Seconds(*silence), {}};
    return run_and_report(serve(room, static_cast<int>(*port)));
}
