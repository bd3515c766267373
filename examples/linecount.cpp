// Counts the lines, words and bytes of all files under a directory, as wc does, on worker threads.
// Shows to_thread with a stop_token, a TaskGroup as a bounded pool, wait_for, and a clean Ctrl-C.
#include <asyncio/asyncio.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <system_error>

#include "linecount/files.h"

using namespace std::chrono_literals;

struct Job {  // outlives run(), so that an interrupted count still has its totals
    const Root& root;
    asyncio::Seconds file_timeout;
    Listing list = {};
    std::size_t found = 0;
    Counts total = {};
};

/// Counts files until none is left. One that cannot be read is noted and loses nothing else.
asyncio::Coro<> count_files(Job& job) {
    while (!job.list.files.empty()) {
        fs::path path = std::move(job.list.files.front());
        job.list.files.pop_front();
        try {
            Counts counts =
                co_await asyncio::wait_for(asyncio::to_thread(count_file, std::ref(job.root), path), job.file_timeout);
            job.total += counts;
        } catch (const asyncio::TimeoutError&) {
            job.list.errors.push_back((job.root.path() / path).string() + ": Timed out");
        } catch (const std::exception& error) {
            job.list.errors.push_back((job.root.path() / path).string() + ": " + error.what());
        }
    }
}

asyncio::Coro<> show_progress(const Job& job) {
    while (true) {
        std::size_t begun = job.found - job.list.files.size();
        std::string bar(40 * (begun + 1) / (job.found + 1), '#');
        std::fprintf(stderr, "\r[%-40s] %zu/%zu", bar.c_str(), begun, job.found);
        co_await asyncio::sleep(100ms);
    }
}

asyncio::Coro<> count_tree(Job& job) {
    Listing listing = co_await asyncio::to_thread(list_files, std::ref(job.root));
    job.list = std::move(listing);
    job.found = job.list.files.size();
    asyncio::Task<> progress;
    if (::isatty(STDERR_FILENO)) progress = asyncio::create_task(show_progress(job));
    co_await asyncio::with(asyncio::TaskGroup{}, [&](asyncio::TaskGroup& group) {
        for (int i = 0; i < 8; ++i) group.create_task(count_files(job));
    });
    if (progress) progress.cancel();
}

int complain(const std::string& sentence) { return std::fprintf(stderr, "%s\n", sentence.c_str()), 2; }

int count(Job& job) {
    bool interrupted = false;
    try {
        asyncio::run(count_tree(job));
    } catch (const asyncio::KeyboardInterrupt&) {
        interrupted = true;
    }
    if (::isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);  // wipes the progress bar
    for (const auto& error : job.list.errors) complain("linecount: " + error);
    const auto& [lines, words, bytes, files] = job.total;
    std::printf("%7ju %7ju %7ju total (%ju files%s)\n", lines, words, bytes, files, interrupted ? ", interrupted" : "");
    if (std::fflush(stdout) != 0) complain("linecount: standard output: " + std::string(std::strerror(errno)));
    return interrupted ? 130 : !job.list.errors.empty() || std::ferror(stdout) != 0;
}

int main(int argc, char** argv) {
    asyncio::Seconds file_timeout = 10s;
    if (argc > 2) file_timeout = asyncio::Seconds(std::atof(argv[2]));
    if (argc < 2 || argc > 3 || !(file_timeout > 0s)) return complain("usage: linecount DIR [SECONDS_PER_FILE]");
    std::setlocale(LC_ALL, "");  // as wc does: it decides what a word is. After atof, which obeys it too
    try {
        Root root(argv[1]);
        Job job{.root = root, .file_timeout = file_timeout};
        return count(job);
    } catch (const std::system_error& error) {
        return complain("linecount: " + std::string(argv[1]) + ": " + error.code().message());
    }
}
