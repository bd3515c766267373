// Sends each argument as a line to an echo server, and prints what comes back.
//
//     echo_client HOST PORT WORD...
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<> talk(const char* host, const char* port, std::vector<std::string> words) {
    auto [reader, writer] = co_await asyncio::open_connection(host, port);
    for (const std::string& word : words) {
        std::printf("sent %s\n", word.c_str());
        writer.write(word + "\n");
        co_await writer.drain();
        std::string line = co_await reader.readline();
        std::printf("received %s\n", line.substr(0, line.find('\n')).c_str());
    }
    writer.close();
    co_await writer.wait_closed();
}

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: echo_client HOST PORT WORD...\n", stderr);
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    try {
        asyncio::run(asyncio::wait_for(talk(argv[1], argv[2], {argv + 3, argv + argc}), 10s));
    } catch (const asyncio::TimeoutError&) {
        std::fputs("no answer in ten seconds\n", stderr);
        return 1;
    } catch (const asyncio::OSError& error) {  // no such host, nobody there, the connection was lost
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
