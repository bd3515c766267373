// Sends standard input to a server by TCP, and prints what comes back: a small netcat.
//
// netcat HOST PORT
//
// Input and output may be terminals, pipes or files. It ends when the server has nothing more to send.
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

/// Nothing is read before all that was read has gone.
asyncio::Coro<> copy(asyncio::StreamReader from, asyncio::StreamWriter to) {
    to.set_write_buffer_limits({.high = 0});
    while (true) {
        std::string data = co_await from.read(64 * 1024);
        if (data.empty()) break;
        to.write(data);
        co_await to.drain();
    }
}

asyncio::Coro<> send_input(asyncio::StreamWriter server) {
    asyncio::StreamReader input = co_await asyncio::stdin_stream();
    co_await copy(input, server);
    server.write_eof();  // it may have more to say
}

asyncio::Coro<> print_answer(asyncio::StreamReader server) {
    asyncio::StreamWriter output = co_await asyncio::stdout_stream();
    co_await copy(server, output);
    output.close();
    co_await output.wait_closed();
}

asyncio::Coro<> talk(const char* host, const char* port) {
    auto [reader, writer] = co_await asyncio::open_connection(host, port);
    asyncio::Task<> sending = asyncio::create_task(send_input(writer));
    co_await print_answer(reader);
    sending.cancel();
    writer.close();
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    if (argc != 3) {
        std::fputs("usage: netcat HOST PORT\n", stderr);
        return 2;
    }
    return run_and_report(talk(argv[1], argv[2]));
}
