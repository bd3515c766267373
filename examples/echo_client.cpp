// Sends each argument as a line to an echo server, and prints what comes back.
//
//     echo_client HOST PORT WORD...
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<> talk(const char* host, const char* port, const std::vector<std::string>& words) {
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

/// Throws an error that says what happened: there is no such host, nobody is there, the connection was lost, what came
/// back is no line.
asyncio::Coro<> talk_for_ten_seconds(const char* host, const char* port, std::vector<std::string> words) {
    try {
        co_await asyncio::wait_for(talk(host, port, words), 10s);
    } catch (const asyncio::TimeoutError&) {
        throw asyncio::TimeoutError("no answer in ten seconds");
    }
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    if (argc < 4) {
        std::fputs("usage: echo_client HOST PORT WORD...\n", stderr);
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return run_and_report(talk_for_ten_seconds(argv[1], argv[2], {argv + 3, argv + argc}));
}
