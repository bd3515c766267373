// Asks another program for a line.
#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>

#include <cstdio>
#include <string>

using asyncio::subprocess::PIPE;

asyncio::Coro<std::string> get_date() {
    asyncio::subprocess::Process date = co_await asyncio::create_subprocess_exec(
        "date", {"-u", "-d", "2024-02-29", "+%Y-%m-%d is a %A"}, {.stdout = PIPE});
    std::string line = co_await date.stdout().readline();  // without its end it would be no whole line
    int code = co_await date.wait();
    if (code != 0 || line.empty() || line.back() != '\n') throw asyncio::RuntimeError("date has no date");
    line.pop_back();
    co_return line;
}

asyncio::Coro<> amain() {
    std::string date = co_await get_date();
    std::printf("%s\n", date.c_str());
}

int main() { return asyncio::run_main(amain()); }
