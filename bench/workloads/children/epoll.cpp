// The limit: posix_spawn() and waitid() in a bare loop, and poll() for the bytes.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "bench.h"

extern char** environ;

namespace {

pid_t spawn(const char* program, posix_spawn_file_actions_t* actions = nullptr) {
    char* arguments[] = {const_cast<char*>(program), nullptr};
    pid_t child = -1;
    if (::posix_spawn(&child, program, actions, nullptr, arguments, environ) != 0) std::exit(1);
    return child;
}

/// Any, if it is -1.
long reap(pid_t child) {
    int status = 0;
    return ::waitpid(child, &status, 0) > 0 && status == 0;
}

long one(long n) {
    long good = 0;
    for (long i = 0; i < n; ++i) good += reap(spawn("/bin/true"));
    return good;
}
long large(long n) {
    bench::become_large();
    return one(n);
}

long many(long n) {
    long good = 0, running = 0;
    for (long i = 0; i < n; ++i) {
        if (running == 64) good += reap(-1);
        if (running < 64) ++running;
        spawn("/bin/true");
    }
    for (; running > 0; --running) good += reap(-1);
    return good;
}

long bytes(long mebibytes) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return 0;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    pid_t child = spawn("/bin/cat", &actions);
    ::close(in[0]);
    ::close(out[1]);
    ::fcntl(in[1], F_SETFL, O_NONBLOCK);
    std::vector<char> piece(65536, 'x'), buffer(65536);
    long left = mebibytes << 20, received = 0;
    for (;;) {
        pollfd ready[] = {{out[0], POLLIN, 0}, {left > 0 ? in[1] : -1, POLLOUT, 0}};
        ::poll(ready, 2, -1);
        if (ready[1].revents != 0) {
            ssize_t sent = ::write(in[1], piece.data(), piece.size());
            if (sent > 0) left -= sent;
            if (left <= 0) ::close(in[1]);
        }
        if (ready[0].revents != 0) {
            ssize_t got = ::read(out[0], buffer.data(), buffer.size());
            if (got <= 0) break;
            received += got;
        }
    }
    reap(child);
    return received;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::main(argc, argv, {{"one", one}, {"large", large}, {"many", many}, {"bytes", bytes}});
}
