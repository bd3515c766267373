// Which ports of this machine answer? At most 200 are tried at a time; how far it is goes to stderr, if that is a
// terminal.
//
//     port_scanner [FIRST [LAST]]
#include "common/arguments.h"
#include "common/serving.h"
#include "common/standard_output.h"

#include <asyncio/asyncio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

using namespace std::chrono_literals;

struct Scan {  // outlives run(), and so all that refers to it
    int first, last;
    int next = first;
    std::set<int> open = {};
    std::map<int, std::string> failures = {};  // what kept it from trying a port
};

asyncio::Coro<bool> answers(int port) {
    try {
        auto [reader, writer] = co_await asyncio::wait_for(asyncio::open_connection("127.0.0.1", port), 1s);
        // The system may give a socket the very port that it wants to connect to, and then it talks to itself.
        bool is_itself = writer.get_extra_info("sockname").address() == writer.get_extra_info("peername").address();
        writer.close();
        co_return !is_itself;
    } catch (const asyncio::ConnectionRefusedError&) {
    } catch (const asyncio::TimeoutError&) {
    }
    co_return false;
}

asyncio::Coro<> try_ports(Scan& scan) {
    while (scan.next <= scan.last) {
        int port = scan.next++;
        try {
            bool is_open = co_await answers(port);
            if (is_open) scan.open.insert(port);
        } catch (const asyncio::OSError& error) {  // no descriptor is left, or somebody forbids it
            scan.failures[port] = error.what();
        }
    }
}

asyncio::Coro<> show_progress(const Scan& scan) {
    while (true) {
        co_await asyncio::sleep(200ms);
        std::fprintf(stderr, "\r%d of %d ", scan.next - scan.first, scan.last - scan.first + 1);
    }
}

asyncio::Coro<> try_all(Scan& scan, int at_once) {
    asyncio::Task<> progress;
    if (::isatty(STDERR_FILENO)) progress = asyncio::create_task(show_progress(scan));
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) {
        for (int i = 0; i < at_once; ++i) group.create_task(try_ports(scan));
    });
    if (progress) progress.cancel();
}

/// With a few descriptors for other things.
int most_at_once() {
    rlimit files = {};
    ::getrlimit(RLIMIT_NOFILE, &files);
    return static_cast<int>(std::clamp<rlim_t>(files.rlim_cur, 33, 232)) - 32;
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto first = number(argc, argv, 1, 1, 1, 65535);
    auto last = number(argc, argv, 2, argc > 1 && first ? *first : 65535, 1, 65535);
    if (argc > 3 || !first || !last || *first > *last) {
        std::fputs("usage: port_scanner [FIRST [LAST]]\n", stderr);
        return 2;
    }
    Scan scan{static_cast<int>(*first), static_cast<int>(*last)};
    int status = run_and_report(try_all(scan, most_at_once()));
    if (status != 0) return status;
    if (::isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);  // wipes the progress
    for (int port : scan.open) std::printf("port %d is open\n", port);
    std::printf("%zu of %d are open\n", scan.open.size(), scan.last - scan.first + 1);
    for (const auto& [port, reason] : scan.failures) std::fprintf(stderr, "port %d: %s\n", port, reason.c_str());
    return !scan.failures.empty() || std::fflush(stdout) != 0;
}
