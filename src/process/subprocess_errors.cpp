#include <asyncio/process/subprocess_errors.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace asyncio::subprocess {
namespace {

/// The end of what it said, on lines of its own.
std::string last_words(const std::string& text) {
    constexpr std::size_t most = 500;
    std::string_view end(text);
    while (!end.empty() && end.back() == '\n') end.remove_suffix(1);
    if (end.size() > most) end.remove_prefix(end.size() - most);
    return end.empty() ? std::string() : "\n" + std::string(end);
}

// Python: CalledProcessError.__str__
std::string failure_text(int returncode, const std::string& cmd, const Output& output) {
    std::string text = "Command '" + cmd + "' ";
    if (returncode < 0) {
        const char* name = ::sigabbrev_np(-returncode);
        text += name != nullptr
                    ? "died with <Signals.SIG" + std::string(name) + ": " + std::to_string(-returncode) + ">."
                    : "died with unknown signal " + std::to_string(-returncode) + ".";
    } else {
        text += "returned non-zero exit status " + std::to_string(returncode) + ".";
    }
    return text + last_words(output.stderr);
}

std::string timeout_text(double timeout, const std::string& cmd, const Output& output) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", timeout);
    return "Command '" + cmd + "' timed out after " + seconds + " seconds" + last_words(output.stderr);
}

}  // namespace

SubprocessError::SubprocessError(std::string text, std::string cmd, Output output)
    : RuntimeError(text), kept_(std::make_shared<const Kept>(Kept{std::move(cmd), std::move(output)})) {}

CalledProcessError::CalledProcessError(int returncode, std::string cmd, Output output)
    : SubprocessError(failure_text(returncode, cmd, output), cmd, output), returncode_(returncode) {}

TimeoutExpired::TimeoutExpired(double timeout, std::string cmd, Output output)
    : SubprocessError(timeout_text(timeout, cmd, output), cmd, output), timeout_(timeout) {}

}  // namespace asyncio::subprocess
