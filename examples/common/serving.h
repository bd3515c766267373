#pragma once

#include "standard_output.h"

#include <asyncio/asyncio.h>

#include <csignal>
#include <cstdio>
#include <string>

/// Waits for Ctrl-C or SIGTERM; says that it does. The next one ends the program at once.
inline asyncio::Coro<> wait_for_a_signal(std::string ready) {
    asyncio::EventLoop& loop = asyncio::get_running_loop();
    asyncio::Future<> came = loop.create_future();
    for (int signum : {SIGINT, SIGTERM}) {
        loop.add_signal_handler(signum, [came]() mutable {
            if (!came.done()) came.set_result();
        });
    }
    say(ready);
    co_await came;
    for (int signum : {SIGINT, SIGTERM}) loop.remove_signal_handler(signum);
}

/// Serves until Ctrl-C or SIGTERM. What was written to the clients until then has some time to go, and no more: one
/// that reads nothing must not hold up the end.
inline asyncio::Coro<> serve_until_a_signal(asyncio::Server server, asyncio::Seconds patience = asyncio::Seconds(5)) {
    co_await wait_for_a_signal("serving on " + repr(server.sockets()[0].getsockname()));
    server.close();
    server.close_clients();
    try {
        co_await asyncio::wait_for(server.wait_closed(), patience);
    } catch (const asyncio::TimeoutError&) {
        server.abort_clients();
    }
    say("closed");
}

/// Closes the stream when what was written has gone, or after some time without that: `close()` alone would wait for
/// ever for a client that reads nothing.
inline asyncio::Coro<> close_in_time(asyncio::StreamWriter writer, asyncio::Seconds patience = asyncio::Seconds(5)) {
    writer.close();
    try {
        co_await asyncio::wait_for(writer.wait_closed(), patience);
    } catch (const asyncio::OSError&) {  // the connection is lost, or a TimeoutError
        writer.abort();
    }
}

/// The status of a program: 1 if it failed, and then it says why, or if what it printed is lost; 130, as shells have
/// it, if it was interrupted.
inline int run_and_report(asyncio::Coro<> main) {
    try {
        asyncio::run(std::move(main));
    } catch (const asyncio::KeyboardInterrupt&) {
        return 130;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
}
