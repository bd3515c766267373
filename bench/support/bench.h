// What every C++ program of the suite shares: PROGRAM FORM N runs one workload once and prints one line of figures.
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace bench {

/// One way to do a workload: does `n` operations and returns a number that shows that it did them.
struct Form {
    const char* name;
    long (*run)(long n);
};

/// The same numbers in every language: xorshift32.
class Random {
public:
    unsigned below(unsigned end) {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        return state_ % end;
    }

private:
    unsigned state_ = 12345;
};

inline double seconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Of this process and of its children that were reaped.
inline double cpu_seconds_of_all() {
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    auto of = [](timeval time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; };
    return seconds(CLOCK_PROCESS_CPUTIME_ID) + of(children.ru_utime) + of(children.ru_stime);
}

inline double resident_bytes(const char* process = "/proc/self") {
    double pages = 0;
    char path[64];
    std::snprintf(path, sizeof path, "%s/statm", process);
    if (std::FILE* file = std::fopen(path, "r")) {
        if (std::fscanf(file, "%*d %lf", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * 4096;
}

inline struct Figures {
    double wall, cpu, bytes;
    bool stopped;
} figures;

/// The measured part begins here, not where the form does.
inline void start_clock() { figures = {seconds(CLOCK_MONOTONIC), cpu_seconds_of_all(), resident_bytes(), false}; }
/// It ends here, not where the form does.
inline void stop_clock() {
    figures = {seconds(CLOCK_MONOTONIC) - figures.wall, cpu_seconds_of_all() - figures.cpu,
               resident_bytes() - figures.bytes, true};
}

/// Takes 4 GiB of memory in small pages, and starts the clock.
inline void become_large() {
    constexpr std::size_t size = std::size_t(4) << 30;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::exit(1);
    ::madvise(memory, size, MADV_NOHUGEPAGE);
    for (std::size_t at = 0; at < size; at += 4096) static_cast<char*>(memory)[at] = 1;
    start_clock();
}

/// Prints the figures and ends the program, whatever is still under way.
[[noreturn]] inline void finish(long operations, long check) {
    if (!figures.stopped) stop_clock();
    std::printf("operations=%ld wall=%.9f cpu=%.9f bytes=%.0f check=%ld\n", operations, figures.wall, figures.cpu,
                figures.bytes, check);
    std::fflush(stdout);
    std::_Exit(0);
}

/// A server of the echo workloads says where it listens, once it does. As many connections as the system allows.
inline void listens(int port) {
    std::printf("port=%d\n", port);
    std::fflush(stdout);
}
inline void allow_connections() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

inline int main(int argc, char** argv, std::initializer_list<Form> forms) {
    for (const Form& form : forms) {
        if (argc != 3 || std::strcmp(form.name, argv[1]) != 0) continue;
        long n = std::atol(argv[2]);
        start_clock();
        long check = form.run(n);
        finish(n, check);
    }
    std::fprintf(stderr, "usage: %s FORM N\n", argv[0]);
    for (const Form& form : forms) std::fprintf(stderr, "  %s\n", form.name);
    return 2;
}

}  // namespace bench
