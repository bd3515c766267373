#include <asyncio/errors/log.h>

#include <atomic>
#include <cstdio>
#include <string>

namespace asyncio {

namespace {

void log_to_stderr(LogLevel level, std::string_view message) {
    if (level < LogLevel::warning) return;
    std::string line(message);
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::atomic<LogHandler> log_handler = &log_to_stderr;

}  // namespace

LogHandler set_log_handler(LogHandler handler) noexcept {
    return log_handler.exchange(handler != nullptr ? handler : &log_to_stderr);
}

void detail::log(LogLevel level, std::string_view message) noexcept {
    try {
        log_handler.load()(level, message);
    } catch (...) {
        // A log that throws has nobody left to tell.
    }
}

}  // namespace asyncio
