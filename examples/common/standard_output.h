#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <string>

// A server's standard output is nothing that its clients may be hurt by: it can be a pipe whose reader has stopped or
// gone, a full disk, or closed.

/// Call it first in main(). A closed standard descriptor's number would be given to a client's socket, and what is
/// printed would be sent there.
inline void keep_standard_descriptors() {
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0) ::close(fd);
    std::signal(SIGPIPE, SIG_IGN);
}

/// What others have sent, to be printed: no escape sequences of a terminal, and no lines that look like ours.
inline std::string harmless(std::string text) {
    for (char& each : text) {
        if (each < ' ' || each > '~') each = '?';
    }
    return text;
}

/// Prints a line if that can be done without waiting; else it is lost, and the next that is printed tells how many
/// were.
inline void say(std::string line) {
    static unsigned long lost = 0;
    constexpr std::size_t most = 4096;  // what a pipe that is ready takes whole, and at once
    line = (lost > 0 ? "(" + std::to_string(lost) + " lines were lost)\n" : "") + line;
    if (line.size() > most - 1) line.resize(most - 1);
    line += '\n';
    pollfd output = {STDOUT_FILENO, POLLOUT, 0};
    bool is_ready = ::poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0;
    bool is_said = is_ready && ::write(STDOUT_FILENO, line.data(), line.size()) > 0;
    lost = is_said ? 0 : lost + 1;
}
