// Sends each argument as a line to an echo server, and prints what comes back.
//
//     echo_client [--cafile FILE] HOST PORT WORD...      by TLS, if it is told whose word to take for who the server is
#include "common/serving.h"
#include "common/standard_output.h"
#include "common/tls.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<> talk(const Tls& tls, const char* host, const char* port, const std::vector<std::string>& words) {
    asyncio::OpenConnectionOptions options = {.ssl = tls.option()};
    auto [reader, writer] = co_await asyncio::open_connection(host, port, options);
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
asyncio::Coro<> talk_for_ten_seconds(const Tls& tls, const char* host, const char* port,
                                     std::vector<std::string> words) {
    try {
        co_await asyncio::wait_for(talk(tls, host, port, words), 10s);
    } catch (const asyncio::TimeoutError&) {
        throw asyncio::TimeoutError("no answer in ten seconds");
    }
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto cafile = take_option(argc, argv, "--cafile");
    if (argc < 4) {
        std::fputs("usage: echo_client [--cafile FILE] HOST PORT WORD...\n", stderr);
        return 2;
    }
    Tls tls;
    try {
        if (cafile) tls.trust(*cafile);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", cafile->c_str(), error.what());
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return run_and_report(talk_for_ten_seconds(tls, argv[1], argv[2], {argv + 3, argv + argc}));
}
