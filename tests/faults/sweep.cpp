#include "faults/sweep.h"

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/errors/exception_group.h>
#include <asyncio/errors/log.h>
#include <asyncio/tasks/run.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "faults/failing_backend.h"
#include "faults/failing_pool.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

namespace faults {

using namespace asyncio;

namespace {

constexpr unsigned seconds_of_real_time = 20;  // for one run, before it counts as one that hangs
constexpr int most_failures = 3;

/// What the process that runs the program shares with the one that judges it.
struct Progress {
    long number;       // of the event that fails in the run under way
    bool is_over;      // there is no event of this number any more
    char wrong[2000];  // what was found by the run
};

Progress* progress = nullptr;
bool is_verbose = false;

void note_wrong(std::string_view what) {
    Pause pause;
    std::size_t length = std::char_traits<char>::length(progress->wrong);
    std::snprintf(progress->wrong + length, sizeof progress->wrong - length, "%.*s\n", static_cast<int>(what.size()),
                  what.data());
}

/// Whether this is what a program may end with when memory or a call fails.
bool is_expected(const std::exception_ptr& error) {
    if (const auto* group = exception_cast<BaseExceptionGroup>(error)) {
        for (const std::exception_ptr& child : group->exceptions()) {
            if (!is_expected(child)) return false;
        }
        return true;
    }
    return exception_cast<std::bad_alloc>(error) != nullptr || exception_cast<std::system_error>(error) != nullptr;
}

[[noreturn]] void stop_hanging() {
    Pause pause;
    note_wrong("it hangs, or a deadline was lost; the tasks that are left:");
    for (const AnyTask& task : all_tasks()) {
        note_wrong(repr(task));
        for (const StackEntry& entry : task.get_stack()) {
            note_wrong("    " + entry.function + " " + entry.file + ":" + std::to_string(entry.line));
        }
    }
    std::_Exit(3);
}

Coro<> watched(const Program& program) {
    {
        Pause pause;
        get_running_loop().call_later(program.limit, stop_hanging);
    }
    co_await program.main();
}

bool backend_may_fail = false;
bool call_may_fail = false;
bool time_is_real = false;

EventLoop make_loop() {
    LoopOptions options;
    if (!time_is_real) options.clock = VirtualClock{};
    if (backend_may_fail) options.io_backend = failing_backend();
    return EventLoop(std::move(options));
}

/// One run in which nothing, or event `number`, fails. Whether there was such an event.
bool run_once(const Program& program, Kind kind, long number, bool all_that_follow) {
    std::exception_ptr error;
    backend_may_fail = kind == Kind::backend_call;
    time_is_real = program.real_time || kind == Kind::refusal;  // a virtual one would jump to the end
    call_may_fail = number > 0 && (kind == Kind::system_call || kind == Kind::system_call_again);
    ::alarm(seconds_of_real_time);
    set(kind, number, all_that_follow);
    try {
        run(watched(program), {.loop_factory = &make_loop});
    } catch (...) {
        error = std::current_exception();
    }
    bool has_struck = clear();
    failing_backend_is_over();
    if (error && is_verbose) std::fprintf(stderr, "---- ends with %s\n", repr(error).c_str());
    if (error && !(has_struck && is_expected(error))) note_wrong("ends with " + repr(error));
    return has_struck;
}

/// The same; on a thread that has nothing of the pool to itself at first, if that is what is to fail.
bool run_once_more(const Program& program, Kind kind, long number, bool all_that_follow) {
    if (!pool_is_real()) return run_once(program, kind, number, all_that_follow);
    bool has_struck = false;
    std::thread([&] { has_struck = run_once(program, kind, number, all_that_follow); }).join();
    return has_struck;
}

void check_leaks(long allocations, long blocks, int descriptors) {
    long more_blocks = pool_is_real() ? blocks_out() - blocks : 0;
    if (more_blocks != 0) note_wrong(std::to_string(more_blocks) + " blocks more of the pool are out");
    long more = live_allocations() - allocations;
    int more_descriptors = open_descriptors() - descriptors;
    if (more_descriptors != 0) note_wrong(std::to_string(more_descriptors) + " descriptors more are open");
#if defined(__SANITIZE_ADDRESS__)  // else the pool keeps what it was given
    if (more == 0) return;
    note_wrong(std::to_string(more) + " allocations more are alive");
    if (is_verbose) __lsan_do_recoverable_leak_check();
#else
    static_cast<void>(more);
#endif
}

/// What they have of memory goes with them; a thread of the last run may not even have begun. Without the kernel's,
/// which serve an io_uring.
int count_threads() {
    int count = 0;
    DIR* folder = ::opendir("/proc/self/task");
    while (const dirent* entry = ::readdir(folder)) {
        char path[300];
        char name[32] = {};
        std::snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        int file = ::open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        bool is_there = ::read(file, name, sizeof name - 1) > 0;
        ::close(file);
        if (is_there && std::strncmp(name, "iou-", 4) != 0) ++count;
    }
    ::closedir(folder);
    return count;
}

void let_threads_end(int usual) {
    for (int k = 0; k < 1000 && count_threads() > usual; ++k) ::usleep(2000);
}

/// In the child process: goes on from `progress->number` until something is wrong or everything has failed.
void run_on(const Program& program, Kind kind, bool all_that_follow) {
    set_log_handler([](LogLevel, std::string_view line) {
        if (is_verbose) std::fprintf(stderr, "---- log: %.*s\n", static_cast<int>(line.size()), line.data());
    });
    const int threads = count_threads();
    for (int i = 0; i < 2; ++i) run_once_more(program, kind, -1, false);  // what is made once and for all
    for (;; ++progress->number) {
        if (progress->wrong[0] != '\0') return;
        bool has_struck = false;
        // Again, if it left something: that may be what is made once and for all when something fails. Where there are
        // threads or real time the event of a number is now one, now another, each with what it makes for the first
        // time: a leak is what stays each time.
        constexpr int most_tries = 5;
        for (int i = 0; i < most_tries; ++i) {
            let_threads_end(threads);
            long allocations = live_allocations();
            int descriptors = open_descriptors();
            long blocks = pool_is_real() ? blocks_out() : 0;
            has_struck = run_once_more(program, kind, progress->number, all_that_follow);
            auto left_nothing = [&] {
                return live_allocations() == allocations && open_descriptors() == descriptors &&
                       (!pool_is_real() || blocks_out() == blocks);
            };
            let_threads_end(threads);
            for (int k = 0; k < 100 && !left_nothing(); ++k) ::usleep(2000);  // what the kernel does at its leisure
            if (left_nothing()) break;
            if (i == most_tries - 1) check_leaks(allocations, blocks, descriptors);
        }
        if (!has_struck) progress->is_over = true;
        if (!has_struck || is_verbose || progress->wrong[0] != '\0') return;
    }
}

/// So that not every child has to read the debug information.
void load_symbols() {
#if defined(__SANITIZE_ADDRESS__)
    static bool loaded = false;
    if (std::exchange(loaded, true)) return;
    char text[200];
    __sanitizer_symbolize_pc(reinterpret_cast<void*>(&load_symbols), "%s", text, sizeof text);
#endif
}

std::string content(int file) {
    std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    text.resize(static_cast<std::size_t>(::pread(file, text.data(), text.size(), 0)));
    constexpr std::size_t most = 12000;
    if (text.size() > most) text.erase(most);
    return text;
}

/// Runs a child process; gives how it ended where that was not as it should be.
std::string fork_and_run(const Program& program, std::string_view backend, Kind kind, bool all_that_follow,
                         int output) {
    pid_t child = ::fork();
    if (child == 0) {
        ::dup2(output, STDERR_FILENO);
        ::setenv("ASYNCIO_IO_BACKEND", std::string(backend).c_str(), 1);
        rlimit no_core = {0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        run_on(program, kind, all_that_follow);
        std::_Exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        int signal = WTERMSIG(status);
        return signal == SIGALRM ? "it hangs in real time" : std::string("it was ended by ") + ::strsignal(signal);
    }
    if (WEXITSTATUS(status) != 0) return "it ended with code " + std::to_string(WEXITSTATUS(status));
    return {};
}

}  // namespace

void expect(bool is_right, std::string_view what) {
    if (!is_right) note_wrong(what);
}

bool calls_may_fail() noexcept { return call_may_fail; }

std::string sweep(const Program& program, std::string_view backend, Kind kind, bool all_that_follow) {
    progress = static_cast<Progress*>(
        ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    progress->number = 1;
    if (const char* first = std::getenv("FAULTS_FIRST")) progress->number = std::atol(first);
    std::string failures;
    int count = 0;
    const char* most = std::getenv("FAULTS_MOST");
    while (!progress->is_over && count < (most != nullptr ? std::atoi(most) : most_failures)) {
        int output = ::memfd_create("output", MFD_CLOEXEC);
        std::string ended = fork_and_run(program, backend, kind, all_that_follow, output);
        if (!ended.empty() || progress->wrong[0] != '\0') {
            failures += std::string(program.name) + ", number " + std::to_string(progress->number) + ": " + ended +
                        "\n" + progress->wrong;
            progress->wrong[0] = '\0';
            bool was_over = progress->is_over;
            is_verbose = true;  // once more, now with the stack of the fault
            print_stacks();
            load_symbols();
            ::close(output);
            output = ::memfd_create("output", MFD_CLOEXEC);
            fork_and_run(program, backend, kind, all_that_follow, output);
            is_verbose = false;
            progress->is_over = was_over;
            failures += content(output) + "\n";
            progress->wrong[0] = '\0';
            ++progress->number;
            ++count;
        }
        ::close(output);
    }
    if (std::getenv("FAULTS_COUNT") != nullptr) {
        std::printf("%s: %ld events\n", program.name, progress->number - 1);
    }
    ::munmap(progress, sizeof(Progress));
    return failures;
}

}  // namespace faults
