// What a SubprocessProtocol is told in which pass of the loop, as by CPython 3.14. The same scenarios are in
// subprocess_trace.py, which printed the expected text.
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/transport_state.h"
#include "process/process_support.h"

using namespace asyncio;
using asyncio::sleep;
using subprocess::PIPE;
using subprocess::Process;
using support::run_each_pass;

namespace {

using SubprocessTraces = support::ProcessTest;

std::vector<std::pair<int, std::string>> noted;
std::string trace;

/// Counts passes.
class Ticker {
public:
    Ticker() { tick(); }
    ~Ticker() { handle_.cancel(); }
    Ticker(const Ticker&) = delete;
    void note(const std::string& what) const { noted.emplace_back(count_, what); }

private:
    void tick() {
        ++count_;
        handle_ = get_running_loop().call_soon([this] { tick(); });
    }
    int count_ = -1;
    Handle handle_;
};

void flush() {
    std::sort(noted.begin(), noted.end());
    for (const auto& [pass, what] : noted) trace += std::to_string(pass) + " " + what + "\n";
    noted.clear();
}

std::string stripped(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    return std::string(text);
}

class Noting : public SubprocessProtocol {
public:
    explicit Noting(const Ticker& ticker) : ticker_(ticker) {}
    void connection_made(SubprocessTransport transport) override {
        transport_ = std::move(transport);
        ticker_.note("made");
    }
    void pipe_data_received(int fd, std::string_view data) override {
        ticker_.note("data " + std::to_string(fd) + " " + stripped(data));
    }
    void pipe_connection_lost(int fd, std::exception_ptr error) override {
        ticker_.note("lost " + std::to_string(fd) + " " + repr(error));
    }
    void process_exited() override { ticker_.note("exited " + std::to_string(transport_.get_returncode().value())); }
    void connection_lost(std::exception_ptr error) override { ticker_.note("over " + repr(error)); }

private:
    const Ticker& ticker_;
    SubprocessTransport transport_;
};

Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await asyncio::sleep(0);
}

void wait_for_end() {
    siginfo_t info;
    ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
}

void wait_for_data(const SubprocessTransport& transport, int fd) {
    pollfd entry{transport.get_pipe_transport(fd).handle().get()->fileno(), POLLIN, 0};
    ::poll(&entry, 1, -1);
}

using Steps = Coro<> (*)(SubprocessTransport transport, const Ticker& ticker);

Coro<> nothing(SubprocessTransport, const Ticker&) { co_return; }
Coro<> speak(SubprocessTransport transport, const Ticker& ticker) {
    transport.get_pipe_transport(0).write("x\n");
    wait_for_data(transport, 1);
    ticker.note("there");
    co_await passes(4);
    transport.get_pipe_transport(0).write("y\n");
    wait_for_end();
    ticker.note("ended");
}
Coro<> close(SubprocessTransport transport, const Ticker& ticker) {
    transport.close();
    wait_for_end();
    ticker.note("ended");
    co_return;
}
Coro<> kill(SubprocessTransport transport, const Ticker& ticker) {
    transport.kill();
    wait_for_end();
    ticker.note("ended");
    co_return;
}
Coro<> end(SubprocessTransport transport, const Ticker& ticker) {
    transport.get_pipe_transport(0).write("y\n");
    wait_for_end();
    ticker.note("ended");
    co_return;
}
Coro<> end_input(SubprocessTransport transport, const Ticker& ticker) {
    transport.get_pipe_transport(0).close();
    co_await passes(4);
    wait_for_end();
    ticker.note("ended");
}

Coro<> scenario(std::string title, std::string command, Steps steps, bool ends_early = false,
                SubprocessOptions options = {}) {
    trace += "--- " + title + "\n";
    Ticker ticker;
    if (ends_early) get_running_loop().call_soon(wait_for_end);
    auto factory = [&] { return make_protocol<Noting>(ticker); };
    auto [transport, protocol] = co_await subprocess_shell(factory, command, options);
    ticker.note("connected");
    co_await steps(transport, ticker);
    co_await passes(8);
    flush();
}

using StreamSteps = Coro<> (*)(Process child, const Ticker& ticker);

Coro<> wait_and_note(Process child, const Ticker& ticker) {
    int code = co_await child.wait();
    ticker.note("waited " + std::to_string(code));
}
Coro<> wait(Process child, const Ticker& ticker) {
    auto task = create_task(wait_and_note(child, ticker));
    co_await passes(2);
    child.kill();
    wait_for_end();
    ticker.note("ended");
    co_await task;
    int code = co_await child.wait();
    ticker.note("again " + std::to_string(code));
}
Coro<> read(Process child, const Ticker& ticker) {
    child.stdin().write("x\n");
    wait_for_data(child.transport(), 1);
    ticker.note("there");
    std::string data = co_await child.stdout().read(10);
    ticker.note("read " + stripped(data));
    child.stdin().close();
    co_await passes(3);
    wait_for_end();
    ticker.note("ended");
    co_await child.stdin().wait_closed();
    ticker.note("stdin closed");
    data = co_await child.stdout().read(10);
    ticker.note("read b'" + data + "'");
    co_await child.wait();
    ticker.note("waited");
}
Coro<> end_later(const Ticker& ticker) {
    co_await passes(6);
    wait_for_end();
    ticker.note("ended");
}
Coro<> communicate(Process child, const Ticker& ticker) {
    auto task = create_task(end_later(ticker));
    auto [out, err] = co_await child.communicate("x\n");
    ticker.note(stripped(out) + " " + std::to_string(child.returncode().value()));
}

Coro<> streams(std::string title, std::string command, StreamSteps steps, SubprocessOptions options) {
    trace += "--- " + title + "\n";
    Ticker ticker;
    Process child = co_await create_subprocess_shell(command, options);
    ticker.note("created");
    co_await steps(child, ticker);
    co_await passes(4);
    flush();
}

const char* const expected =
    "--- all pipes\n"
    "8 connected\n"
    "8 made\n"
    "8 there\n"
    "10 data 1 x\n"
    "12 ended\n"
    "14 exited 3\n"
    "15 lost 0 None\n"
    "15 lost 1 None\n"
    "15 lost 2 None\n"
    "15 over None\n"
    "--- no pipes\n"
    "2 connected\n"
    "2 ended\n"
    "2 made\n"
    "4 exited -9\n"
    "4 over None\n"
    "--- no pipes, ends early\n"
    "2 connected\n"
    "2 made\n"
    "3 exited 3\n"
    "3 over None\n"
    "--- all pipes, ends early\n"
    "8 connected\n"
    "8 data 1 x\n"
    "8 data 2 y\n"
    "8 exited 0\n"
    "8 lost 0 None\n"
    "8 lost 1 None\n"
    "8 made\n"
    "10 lost 2 None\n"
    "10 over None\n"
    "--- closed\n"
    "8 connected\n"
    "8 ended\n"
    "8 made\n"
    "10 exited -9\n"
    "10 lost 0 None\n"
    "10 lost 1 None\n"
    "10 lost 2 None\n"
    "10 over None\n"
    "--- killed\n"
    "8 connected\n"
    "8 ended\n"
    "8 made\n"
    "10 exited -9\n"
    "11 lost 0 None\n"
    "11 lost 1 None\n"
    "11 lost 2 None\n"
    "11 over None\n"
    "--- only stdin\n"
    "4 connected\n"
    "4 ended\n"
    "4 made\n"
    "6 exited 0\n"
    "7 lost 0 None\n"
    "7 over None\n"
    "--- the end of its input\n"
    "8 connected\n"
    "8 made\n"
    "10 lost 0 None\n"
    "12 ended\n"
    "14 exited 0\n"
    "15 lost 1 None\n"
    "15 lost 2 None\n"
    "15 over None\n"
    "--- wait\n"
    "4 created\n"
    "6 ended\n"
    "8 waited -9\n"
    "9 again -9\n"
    "--- read\n"
    "6 created\n"
    "6 there\n"
    "9 read x\n"
    "12 ended\n"
    "12 stdin closed\n"
    "16 read b''\n"
    "16 waited\n"
    "--- communicate\n"
    "6 created\n"
    "13 ended\n"
    "20 x 0\n";

TEST_F(SubprocessTraces, AllIsToldInThePassInWhichCPythonTellsIt) {
    trace.clear();
    run_each_pass([]() -> Coro<> {
        SubprocessOptions none{.stdin = nullptr, .stdout = nullptr, .stderr = nullptr};
        SubprocessOptions only_stdin{.stdout = nullptr, .stderr = nullptr};
        co_await scenario("all pipes", "read x; echo $x; read y; exit 3", speak);
        co_await scenario("no pipes", "exec sleep 3600", kill, false, none);
        co_await scenario("no pipes, ends early", "sleep 0.05; exit 3", nothing, true, none);
        co_await scenario("all pipes, ends early", "sleep 0.05; echo x; echo y >&2", nothing, true);
        co_await scenario("closed", "read y", close);
        co_await scenario("killed", "read y", kill);
        co_await scenario("only stdin", "read y", end, false, only_stdin);
        co_await scenario("the end of its input", "cat; sleep 0.05", end_input);
        co_await streams("wait", "read y", wait, {.stdin = PIPE});
        co_await streams("read", "cat; sleep 0.05", read, {.stdin = PIPE, .stdout = PIPE});
        // It says nothing before its end is waited for: on a busy machine "cat" had answered a pass before that.
        co_await streams("communicate", "cat >/dev/null; sleep 0.05; echo x", communicate,
                         {.stdin = PIPE, .stdout = PIPE});
    });
    EXPECT_EQ(trace, expected);
}

}  // namespace
