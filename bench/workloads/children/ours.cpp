// Child processes: one after the other, also from a large parent, 64 at once, and bytes through one.
#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>

#include <string>
#include <vector>

#include "bench.h"

using namespace asyncio;

namespace {

Coro<long> spawn(long n) {
    long good = 0;
    for (long i = 0; i < n; ++i) {
        subprocess::Process child = co_await create_subprocess_exec("/bin/true");
        int code = co_await child.wait();
        good += code == 0;
    }
    co_return good;
}

Coro<long> copy(long mebibytes) {
    SubprocessOptions options = {.stdin = subprocess::PIPE, .stdout = subprocess::PIPE};
    subprocess::Process child = co_await create_subprocess_exec("/bin/cat", {}, options);
    std::string piece(65536, 'x');
    auto write = [&]() -> Coro<> {
        for (long i = 0; i < mebibytes * 16; ++i) {
            child.stdin().write(piece);
            co_await child.stdin().drain();
        }
        child.stdin().close();
    };
    Task<> writing = create_task(write);
    long received = 0;
    for (;;) {
        std::string data = co_await child.stdout().read(65536);
        if (data.empty()) break;
        received += static_cast<long>(data.size());
    }
    co_await writing;
    co_await child.wait();
    co_return received;
}

Coro<long> spawn_64(long n) {
    std::vector<Task<long>> tasks;
    for (int i = 0; i < 64; ++i) tasks.push_back(create_task(spawn(n / 64)));
    long good = 0;
    for (Task<long>& task : tasks) {
        long its = co_await task;
        good += its;
    }
    co_return good;
}

long one(long n) { return run(spawn(n)); }
long large(long n) {
    bench::become_large();
    return run(spawn(n));
}
long many(long n) { return run(spawn_64(n)); }
long bytes(long n) { return run(copy(n)); }

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"one", one}, {"large", large}, {"many", many}, {"bytes", bytes}});
}
