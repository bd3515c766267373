// A shell whose lines come from a descriptor that the loop watches, typed by a thread that waits for the shell each
// time. Commands are methods, jobs run in the background, and what computes goes to a thread.
#include <asyncio/asyncio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

using Words = std::vector<std::string>;

Words split(const std::string& line) {
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
}
std::string join(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

class Shell {
public:
    explicit Shell(int fd) : fd_(fd) { get_running_loop().add_reader(fd, &Shell::read, this); }
    ~Shell() { get_running_loop().remove_reader(fd_); }
    Shell(const Shell&) = delete;

    Coro<> idle() { co_await lines_.join(); }

    Coro<> run() {
        try {
            while (true) {
                std::string line = co_await lines_.get();
                std::printf("$ %s\n", line.c_str());
                try {
                    co_await execute(split(line));
                } catch (const std::exception& error) {
                    std::printf("%s: %s\n", type_name(error).c_str(), error.what());
                }
                lines_.task_done();
            }
        } catch (const QueueShutDown&) {
        }
        std::printf("the end; still running: %s\n", names().c_str());
        std::vector<Task<std::string>> left;
        for (const auto& [name, task] : jobs_) left.push_back(task);
        for (const auto& task : left) task.cancel();
        co_await gather(return_exceptions, left);
    }

private:
    using Command = Coro<std::string> (Shell::*)(Words);

    void read() {
        char buffer[4096];
        ssize_t size = ::read(fd_, buffer, sizeof buffer);
        if (size <= 0) {
            get_running_loop().remove_reader(fd_);
            return lines_.shutdown();
        }
        kept_.append(buffer, static_cast<std::size_t>(size));
        for (std::size_t end; (end = kept_.find('\n')) != std::string::npos; kept_.erase(0, end + 1)) {
            lines_.put_nowait(kept_.substr(0, end));
        }
    }

    Coro<> execute(Words words) {
        static const std::map<std::string, Command> commands = {
            {"echo", &Shell::do_echo}, {"start", &Shell::do_start},   {"jobs", &Shell::do_jobs},
            {"wait", &Shell::do_wait}, {"cancel", &Shell::do_cancel}, {"sum", &Shell::do_sum}};
        if (words.empty()) co_return;
        auto command = commands.find(words[0]);
        if (command == commands.end()) {
            Words all;
            for (const auto& [name, method] : commands) all.push_back(name);
            throw LookupError("there is no " + words[0] + "; there are " + join(all));
        }
        words.erase(words.begin());
        std::string result = co_await (this->*command->second)(words);
        if (!result.empty()) std::puts(result.c_str());
    }

    Coro<std::string> do_echo(Words words) { co_return join(words); }
    Coro<std::string> do_start(Words words) {
        const std::string &name = words.at(0), &seconds = words.at(1);
        if (jobs_.contains(name)) throw ValueError(name + " runs already");
        auto task = create_task(sleep(std::stod(seconds), seconds + " s"), {.name = name});
        task.add_done_callback([this, name](const Task<std::string>& job) {
            jobs_.erase(name);
            std::printf("%s is %s\n", name.c_str(), job.cancelled() ? "cancelled" : ("done: " + job.result()).c_str());
        });
        jobs_.emplace(name, task);
        co_return "";
    }
    Coro<std::string> do_jobs(Words) { co_return jobs_.empty() ? "none" : names(); }
    Coro<std::string> do_wait(Words words) {
        co_await wait(jobs_.at(words.at(0)));
        co_return "";
    }
    Coro<std::string> do_cancel(Words words) {
        Task<std::string> task = jobs_.at(words.at(0));
        task.cancel();
        co_await wait(task);
        co_return "";
    }
    static double sum(const Words& words) {
        double all = 0;
        for (const std::string& word : words) all += std::stod(word);
        return all;
    }
    Coro<std::string> do_sum(Words words) {
        double all = co_await to_thread(sum, words);
        co_return repr(all);
    }
    std::string names() const {
        Words all;
        for (const auto& [name, task] : jobs_) all.push_back(name);
        return join(all);
    }

    int fd_;
    std::string kept_;
    Queue<std::string> lines_;
    std::map<std::string, Task<std::string>> jobs_;
};

void type_lines(int fd, Shell& shell, EventLoop& loop) {
    for (std::string line : {"echo hello  world", "start tea 60", "start rice 0.1", "start tea 1", "wait rice", "jobs",
                             "cancel tea", "jobs", "sum 1 2 3.5", "", "frobnicate", "start soup 60"}) {
        run_coroutine_threadsafe(shell.idle(), loop).result();
        line += "\n";
        if (::write(fd, line.data(), line.size()) < 0) break;
    }
    ::close(fd);
}

Coro<> amain() {
    int ends[2];
    if (::pipe(ends) != 0) throw_os_error(errno);
    {
        Shell shell(ends[0]);
        co_await gather(shell.run(), to_thread(type_lines, ends[1], std::ref(shell), std::ref(get_running_loop())));
    }
    ::close(ends[0]);
}

int main() { return run_main(amain()); }
