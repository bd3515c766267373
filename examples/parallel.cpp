// Runs a command for each line of its input, several at once, as `xargs -P` does; what they print comes in the order of
// the lines.
//
//     ls *.png | parallel -j 4 optipng {}
#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

const char* const usage =
    "usage: parallel [-j JOBS] [--halt] COMMAND [ARGUMENT...]\n"
    "Each line of the input takes the place of {}, or comes last. --halt ends all when one fails.\n";

struct Options {
    int jobs = static_cast<int>(std::thread::hardware_concurrency());
    bool halt = false;
    std::vector<std::string> command;
};

struct Failed : std::exception {
    const char* what() const noexcept override { return "a command has failed"; }
};

class Parallel {
public:
    explicit Parallel(Options options)
        : options_(std::move(options)),
          may_run_(options_.jobs),
          may_begin_(8 * options_.jobs),  // what waits for its turn to be printed is bounded
          shows_progress_(::isatty(STDERR_FILENO) == 1) {}

    asyncio::Coro<> run() {
        asyncio::StreamReader lines = co_await asyncio::stdin_stream({.limit = 1 << 20});
        std::exception_ptr error;
        try {
            co_await all(lines);
        } catch (...) {
            error = std::current_exception();
        }
        if (shows_progress_) std::fprintf(stderr, "\r\x1b[K");
        std::fflush(stdout);
        if (error || failed_ > 0) report(error != nullptr);
        if (error) std::rethrow_exception(error);
    }
    int status() const noexcept { return failed_ > 0 ? 123 : 0; }  // as xargs

private:
    asyncio::Coro<> all(asyncio::StreamReader lines) {
        asyncio::TaskGroup group;
        co_await asyncio::with(group, [&](asyncio::TaskGroup& its) { return begin_all(lines, its); });
    }

    asyncio::Coro<> begin_all(asyncio::StreamReader& lines, asyncio::TaskGroup& group) {
        while (auto line = co_await lines.next()) {
            if (line->back() == '\n') line->pop_back();
            if (line->empty()) continue;
            co_await may_begin_.acquire();
            co_await may_run_.acquire();
            group.create_task(one(begun_++, std::move(*line)));
        }
    }

    asyncio::Coro<> one(int number, std::string line) {
        asyncio::RunProcessOptions options{
            .check = false, .kill_group = true, .process = {.stdin = asyncio::subprocess::DEVNULL}};
        asyncio::CompletedProcess result = co_await asyncio::run_process(command_for(line), options);
        may_run_.release();
        ++done_;
        if (result.returncode != 0) {
            ++failed_;
            result.stderr += "parallel: '" + line + "' ended with " + std::to_string(result.returncode) + "\n";
        }
        bool is_the_end = result.returncode != 0 && options_.halt;
        results_.emplace(number, std::move(result));
        print_what_is_due(is_the_end);
        if (is_the_end) throw Failed();
    }

    asyncio::Command command_for(const std::string& line) const {
        asyncio::Command command;
        bool is_in = false;
        for (std::string word : options_.command) {
            for (std::size_t at = 0; (at = word.find("{}", at)) != std::string::npos; at += line.size()) {
                word.replace(at, 2, line);
                is_in = true;
            }
            command.add(word);
        }
        if (!is_in) command.add(line);
        return command;
    }

    /// All that has ended, if nothing else will.
    void print_what_is_due(bool all) {
        while (!results_.empty() && (all || results_.begin()->first == printed_)) {
            const asyncio::CompletedProcess& result = results_.begin()->second;
            if (shows_progress_) std::fprintf(stderr, "\r\x1b[K");
            std::fwrite(result.stdout.data(), 1, result.stdout.size(), stdout);
            std::fflush(stdout);
            std::fwrite(result.stderr.data(), 1, result.stderr.size(), stderr);
            printed_ = results_.begin()->first + 1;
            results_.erase(results_.begin());
            may_begin_.release();
        }
        if (shows_progress_) std::fprintf(stderr, "\r%d of %d done, %d failed", done_, begun_, failed_);
    }

    void report(bool was_ended) const {
        std::fprintf(stderr, "parallel: %d done, %d failed", done_, failed_);
        if (was_ended) std::fprintf(stderr, ", %d ended", begun_ - done_);
        std::fprintf(stderr, "\n");
    }

    const Options options_;
    asyncio::Semaphore may_run_;
    asyncio::Semaphore may_begin_;
    std::map<int, asyncio::CompletedProcess> results_;
    int begun_ = 0;
    int done_ = 0;
    int failed_ = 0;
    int printed_ = 0;
    const bool shows_progress_;
};

Options parse(int argc, char** argv) {
    Options options;
    int at = 1;
    for (; at < argc; ++at) {
        std::string_view word = argv[at];
        if (word == "-j" && at + 1 < argc) {
            options.jobs = std::atoi(argv[++at]);
        } else if (word == "--halt") {
            options.halt = true;
        } else {
            break;
        }
    }
    options.command.assign(argv + at, argv + argc);
    return options;
}

asyncio::Coro<int> amain(Options options) {
    asyncio::AnyTask self = asyncio::current_task();
    asyncio::get_running_loop().add_signal_handler(SIGTERM, [self] { self.cancel(); });
    Parallel parallel(std::move(options));
    co_await parallel.run();
    co_return parallel.status();
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv);
    if (options.command.empty() || options.jobs < 1 || options.jobs > 10'000) {
        std::fputs(usage, stderr);
        return 2;
    }
    try {
        return asyncio::run(amain(std::move(options)));
    } catch (const asyncio::KeyboardInterrupt&) {
        return 130;
    } catch (const asyncio::CancelledError&) {  // by SIGTERM
        return 143;
    } catch (const asyncio::ExceptionGroup& errors) {
        if (errors.subgroup<Failed>()) return 123;
        std::fprintf(stderr, "parallel: %s\n", asyncio::repr(errors.exceptions().front()).c_str());
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "parallel: %s\n", error.what());
        return 1;
    }
}
