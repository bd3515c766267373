// Programs that start others.
#include <asyncio/asyncio.h>
#include <asyncio/subprocess.h>

#include <sys/wait.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faults/programs.h"

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;
using subprocess::PIPE;

namespace {

/// That which the run before has left, too.
void expect_no_children() {
    siginfo_t info;
    int result = 0;
    do {
        result = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (result != 0 && errno == EINTR);
    expect(result != 0 && errno == ECHILD, "no child is left");
}

Coro<> a_child_is_spoken_with() {
    expect_no_children();
    subprocess::Process cat =
        co_await create_subprocess_exec("cat", {}, {.stdin = PIPE, .stdout = PIPE, .stderr = PIPE});
    auto output = co_await cat.communicate("hello");
    expect(output.stdout == "hello" || calls_may_fail(), "what was written");
    int code = co_await cat.wait();
    expect(code == 0 || calls_may_fail(), "it ended well");
    cat = {};
    co_await sleep(0s);
    expect_no_children();
}

struct Told {
    std::string data;
    Event over;
};

class Noting : public SubprocessProtocol {
public:
    explicit Noting(std::shared_ptr<Told> told) : told_(std::move(told)) {}
    void pipe_data_received(int, std::string_view data) override { told_->data += data; }
    void connection_lost(std::exception_ptr) override { told_->over.set(); }

private:
    std::shared_ptr<Told> told_;
};

Coro<> a_child_is_killed() {
    expect_no_children();
    auto told = std::make_shared<Told>();
    auto factory = [told] { return make_protocol<Noting>(told); };
    auto child = co_await subprocess_exec(factory, "cat", {}, {.cwd = "/", .user = 0});
    child.transport.get_pipe_transport(0).write("x");
    child.transport.kill();
    co_await told->over.wait();
    co_await sleep(0s);
    expect_no_children();
}

Coro<> a_pipeline_is_cancelled() {
    expect_no_children();
    Pipeline commands = Command("cat") | Command("sleep", "3600");
    auto running = create_task(run_process(commands, {.input = "x", .grace = 1ms}));
    co_await sleep(2ms);
    running.cancel();
    std::vector all{running};
    co_await wait(all);
    expect_no_children();
}

}  // namespace

std::vector<Program> process_programs() {
    return {
        {.name = "AChildIsSpokenWith", .main = a_child_is_spoken_with, .real_time = true},
        {.name = "AChildIsKilled", .main = a_child_is_killed, .real_time = true},
        {.name = "APipelineIsCancelled", .main = a_pipeline_is_cancelled, .real_time = true},
    };
}

}  // namespace faults
