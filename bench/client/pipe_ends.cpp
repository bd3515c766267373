// The load of the pipe workload: N COMMAND... Runs the command, which copies its standard input to its output, with a
// pipe at both ends, writes N MiB into the one and reads them from the other. Prints what they cost the command.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "server_process.h"

using bench::fail;

namespace {

constexpr std::size_t mebibyte = 1 << 20;

std::vector<char> content() {
    std::vector<char> bytes(mebibyte);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
    return bytes;
}

void feed(int pipe, long count) {
    std::vector<char> bytes = content();
    for (long i = 0; i < count; ++i) {
        for (std::size_t sent = 0; sent < bytes.size();) {
            ssize_t size = ::write(pipe, bytes.data() + sent, bytes.size() - sent);
            if (size < 0) fail("write");
            sent += static_cast<std::size_t>(size);
        }
    }
}

/// How many MiB of the same came.
long drain(int pipe) {
    std::vector<char> expected = content();
    std::vector<char> bytes(mebibyte);
    std::size_t all = 0;
    for (;;) {
        std::size_t place = all % mebibyte;
        ssize_t size = ::read(pipe, bytes.data(), mebibyte - place);
        if (size < 0) fail("read");
        if (size == 0) return all % mebibyte == 0 ? static_cast<long>(all / mebibyte) : -1;
        if (std::memcmp(bytes.data(), expected.data() + place, static_cast<std::size_t>(size)) != 0) {
            fail("other bytes came");
        }
        all += static_cast<std::size_t>(size);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s N COMMAND...\n", argv[0]);
        return 2;
    }
    long n = std::atol(argv[1]);
    int in[2], out[2];
    if (::pipe(in) != 0 || ::pipe(out) != 0) fail("pipe");
    pid_t command = ::fork();
    if (command == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        for (int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
        ::execvp(argv[2], argv + 2);
        fail(argv[2]);
    }
    ::close(in[0]);
    ::close(out[1]);
    if (::fork() == 0) {
        ::close(out[0]);
        feed(in[1], n);
        std::_Exit(0);
    }
    ::close(in[1]);
    bench::start_clock();
    long check = drain(out[0]);
    bench::stop_clock();
    int status = 0;
    rusage usage{};
    ::wait4(command, &status, 0, &usage);
    ::wait(nullptr);
    if (status != 0) fail("the command");
    auto seconds = [](timeval time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    std::printf("operations=%ld wall=%.9f cpu=%.9f bytes=0 check=%ld\n", n, bench::figures.wall,
                seconds(usage.ru_utime) + seconds(usage.ru_stime), check);
    return 0;
}
