// as_completed gives the results in the order in which they come, the quickest first.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

asyncio::Coro<std::string> measure(std::string station, asyncio::Seconds delay) {
    co_await asyncio::sleep(delay);
    co_return station + " has reported";
}

asyncio::Coro<> amain() {
    std::vector<asyncio::Task<std::string>> reports;
    reports.push_back(asyncio::create_task(measure("mountain", 60ms)));
    reports.push_back(asyncio::create_task(measure("harbour", 20ms)));
    reports.push_back(asyncio::create_task(measure("airport", 40ms)));
    for (auto next_report : asyncio::as_completed(reports)) {
        std::string report = co_await next_report;
        std::puts(report.c_str());
    }
}

int main() { asyncio::run(amain()); }
