// A crawler of local pages: workers take a page from a queue, read it on a thread, and put the links that are new into
// the queue. join() returns when every page that was ever put has been dealt with.
#include <asyncio/asyncio.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

const std::map<std::string, std::string> site = {
    // a title, then links
    {"index.txt", "welcome\ndocs/start.txt\ndocs/api.txt\nblog/index.txt\n"},
    {"docs/start.txt", "first steps\ndocs/api.txt\nindex.txt\n"},
    {"docs/api.txt", "all the names\ndocs/missing.txt\n"},
    {"blog/index.txt", "news\nblog/one.txt\nblog/two.txt\n"},
    {"blog/one.txt", "hello\nindex.txt\n"},
    {"blog/two.txt", "hello again\ndocs/start.txt\nblog/one.txt\n"},
};

std::vector<std::string> read_page(const fs::path& path) {
    std::ifstream file(path);
    if (!file) asyncio::throw_os_error(errno);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    if (lines.empty()) lines.push_back("empty");
    return lines;
}

struct Crawl {
    fs::path root = "site";
    asyncio::Queue<std::string> pages;
    std::set<std::string> seen;
    std::map<std::string, std::string> found;
};

asyncio::Coro<> crawl(Crawl& job) {
    try {
        while (true) {
            std::string page = co_await job.pages.get();
            try {
                auto lines = co_await asyncio::to_thread(read_page, job.root / page);
                job.found[page] = lines[0] + ", " + std::to_string(lines.size() - 1) + " links";
                for (std::size_t i = 1; i < lines.size(); ++i) {
                    if (job.seen.insert(lines[i]).second) co_await job.pages.put(lines[i]);
                }
            } catch (const asyncio::OSError&) {
                job.found[page] = "not there";
            }
            job.pages.task_done();
        }
    } catch (const asyncio::QueueShutDown&) {
    }
}

asyncio::Coro<> amain() {
    Crawl job;
    for (const auto& [page, text] : site) {
        fs::create_directories((job.root / page).parent_path());
        std::ofstream(job.root / page) << text;
    }
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) -> asyncio::Coro<> {
        job.seen.insert("index.txt");
        co_await job.pages.put("index.txt");
        for (int i = 0; i < 3; ++i) group.create_task(crawl(job));
        co_await job.pages.join();
        job.pages.shutdown();
    });
    for (const auto& [page, what] : job.found) std::printf("%s: %s\n", page.c_str(), what.c_str());
    std::printf("%zu pages\n", job.found.size());
}

int main() { asyncio::run(amain()); }
