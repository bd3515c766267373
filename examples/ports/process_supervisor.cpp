// Keeps programs running: each begins when the one before it is ready, those that fail are started again after a pause
// that grows, and SIGTERM stops them in the reverse order, the stubborn ones by SIGKILL.
#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::subprocess::PIPE;

class Program {
public:
    Program(std::string the_name, std::string script, int tries = 1) : name(the_name), script_(script), tries_(tries) {}

    Coro<> run() {
        try {
            for (int number = 1; number <= tries_; ++number) {
                int status = co_await run_once();
                note(status < 0 ? "was killed by signal " + std::to_string(-status)
                                : "ended with " + std::to_string(status));
                if (stopping_ || status == 0) co_return;
                if (number < tries_) {
                    Seconds pause = 0.005s * (1 << number);
                    note("is started again in " + repr(pause.count()) + " s");
                    co_await sleep(pause);
                }
            }
            note("is given up");
        } catch (const FileNotFoundError& error) {
            note("cannot be run: " + str(error));
        }
    }
    Coro<> stop(Seconds grace) {
        stopping_ = true;
        if (task.done()) co_return;
        process.terminate();
        bool listens = true;
        try {
            co_await wait_for(shield(task), grace);
        } catch (const TimeoutError&) {
            listens = false;
        }
        if (listens) co_return;
        note("does not listen");
        process.kill();
        co_await task;
    }

    std::string name;
    Event ready;
    Task<> task;
    subprocess::Process process;

private:
    void note(const std::string& text) { std::printf("%s %s\n", name.c_str(), text.c_str()); }

    Coro<int> run_once() {
        process = co_await create_subprocess_exec("sh", {"-c", script_}, {.stdout = PIPE});
        StreamReader output = process.stdout();
        while (auto line = co_await output.next()) {
            std::string text = line->substr(0, line->find('\n'));
            note("says " + repr(text));
            if (text == "ready") ready.set();
        }
        co_return co_await process.wait();
    }

    std::string script_;
    int tries_;
    bool stopping_ = false;
};

Coro<> start(Program& program, TaskGroup& group) {
    program.task = group.create_task(program.run(), {.name = program.name});
    auto ready = create_task(program.ready.wait());
    co_await wait(ready, program.task, {.return_when = FIRST_COMPLETED});
    ready.cancel();
}

Coro<> amain() {
    EventLoop& loop = get_running_loop();
    Event stop;
    loop.add_signal_handler(SIGTERM, &Event::set, &stop);
    std::deque<Program> programs;
    programs.emplace_back("database", "trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.01; done");
    programs.emplace_back("migration", "echo nothing to do");
    programs.emplace_back("flaky", "echo trying; exit 3", 3);
    programs.emplace_back("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.01; done");
    programs.emplace_back("web", "echo ready; exec sleep 60");
    co_await with(TaskGroup{}, [&](TaskGroup& group) -> Coro<> {
        for (Program& program : programs) co_await start(program, group);
        loop.call_later(0.01, ::kill, ::getpid(), SIGTERM);
        co_await stop.wait();
        std::puts("stopping");
        for (auto program = programs.rbegin(); program != programs.rend(); ++program) co_await program->stop(0.2s);
    });
    loop.remove_signal_handler(SIGTERM);
    std::string codes;
    for (Program& program : programs) {
        codes += (codes.empty() ? "" : ", ") + repr(program.name) + ": " + repr(program.process.returncode());
    }
    std::printf("{%s}\n", codes.c_str());
}

int main() { return run_main(amain()); }
