// Which ports of this machine answer? At most 200 are tried at a time; how far it is goes to stderr.
//
//     port_scanner [FIRST [LAST]]
#include <asyncio/asyncio.h>

#include <cstdio>
#include <cstdlib>
#include <set>

using namespace std::chrono_literals;

asyncio::Coro<bool> answers(int port) {
    try {
        auto [reader, writer] = co_await asyncio::wait_for(asyncio::open_connection("127.0.0.1", port), 1s);
        writer.close();
        co_return true;
    } catch (const asyncio::OSError&) {  // refused, or a TimeoutError
        co_return false;
    }
}

asyncio::Coro<> show_progress(const int& tried, int all) {
    while (true) {
        co_await asyncio::sleep(200ms);
        std::fprintf(stderr, "\r%d of %d ", tried, all);
    }
}

asyncio::Coro<> scan(int first, int last) {
    asyncio::Semaphore at_once(200);
    std::set<int> open;
    int tried = 0;
    auto try_port = [&](int port) -> asyncio::Coro<> {
        auto guard = co_await at_once.guard();
        bool is_open = co_await answers(port);
        if (is_open) open.insert(port);
        ++tried;
    };
    asyncio::AnyTask progress = asyncio::create_task(show_progress(tried, last - first + 1));
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) {
        for (int port = first; port <= last; ++port) group.create_task(try_port(port));
    });
    progress.cancel();
    std::fputs("\r", stderr);
    for (int port : open) std::printf("port %d is open\n", port);
    std::printf("%zu of %d are open\n", open.size(), tried);
}

int main(int argc, char** argv) {
    int first = argc > 1 ? std::atoi(argv[1]) : 1;
    int last = argc > 2 ? std::atoi(argv[2]) : argc > 1 ? first : 65535;
    if (first < 1 || last > 65535 || first > last) {
        std::fputs("usage: port_scanner [FIRST [LAST]]\n", stderr);
        return 2;
    }
    asyncio::run(scan(first, last));
}
