// What a protocol is told, in which pass of the loop, and what the exception handler: as CPython 3.14 does. The same
// scenarios are in protocol_trace.py, which printed the expected text.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "net/net_support.h"

namespace asyncio {
namespace {

class ProtocolTraceTest : public support::NetTest {};

std::string trace;

/// Counts passes.
class Ticker {
public:
    Ticker() { tick(); }
    ~Ticker() { handle_.cancel(); }
    Ticker(const Ticker&) = delete;
    int count = -1;

private:
    void tick() {
        ++count;
        handle_ = get_running_loop().call_soon([this] { tick(); });
    }
    Handle handle_;
};

using Hook = std::function<void(const Transport&)>;
/// What a protocol does besides taking notes.
struct Hooks {
    std::map<std::string, Hook> calls = {};
    bool stays_open = false;
    std::size_t buffer_size = 4;
};

class Notes {
public:
    Notes(const Ticker& ticker, const Hooks& hooks) : ticker_(&ticker), hooks_(&hooks) {}
    void note(const std::string& what) const { trace += std::to_string(ticker_->count) + " " + what + "\n"; }
    void hook(const std::string& name, const Transport& transport) const {
        auto found = hooks_->calls.find(name);
        if (found != hooks_->calls.end()) found->second(transport);
    }
    const Hooks& hooks() const { return *hooks_; }

private:
    const Ticker* ticker_;
    const Hooks* hooks_;
};

/// What both kinds of protocol share.
template <class Base>
class Noting : public Base {
public:
    explicit Noting(Notes notes) : notes_(notes) {}
    void connection_made(Transport transport) override {
        transport_ = std::move(transport);
        say("made", "made");
    }
    bool eof_received() override {
        say("eof", "eof");
        return notes_.hooks().stays_open;
    }
    void pause_writing() override { say("pause", "pause"); }
    void resume_writing() override { say("resume", "resume"); }
    void connection_lost(std::exception_ptr error) override { say("lost " + repr(error), "lost"); }

protected:
    void say(const std::string& what, const std::string& hook) {
        notes_.note(what);
        notes_.hook(hook, transport_);
    }
    Notes notes_;
    Transport transport_;
};

class Plain : public Noting<Protocol> {
public:
    using Noting::Noting;
    void data_received(std::string_view data) override { say("data " + std::string(data), "data"); }
};

class Buffered : public Noting<BufferedProtocol> {
public:
    using Noting::Noting;
    WritableBytes get_buffer(std::ptrdiff_t) override {
        say("get_buffer", "get_buffer");
        buffer_.resize(notes_.hooks().buffer_size);
        return buffer_;
    }
    void buffer_updated(std::size_t size) override { say("updated " + buffer_.substr(0, size), "updated"); }

private:
    std::string buffer_;
};

using Steps = std::function<Coro<>(Transport, const Socket&, const Ticker&)>;

Coro<> passes(int count) {
    for (int i = 0; i < count; ++i) co_await sleep(0);
}

template <class P>
Coro<> scenario(std::string title, Hooks hooks, Steps steps) {
    trace += "--- " + title + "\n";
    auto [one, other] = socketpair();
    Ticker ticker;
    get_running_loop().set_exception_handler([&](EventLoop&, const ExceptionContext& context) {
        std::string message = context.message.substr(0, context.message.find('('));
        if (message.starts_with("Exception in callback ")) message = "Exception in callback";
        trace += std::to_string(ticker.count) + " told " + message + " " + repr(context.exception) + "\n";
        EXPECT_NE(context.transport.find("_SelectorSocketTransport"), std::string::npos);
        EXPECT_FALSE(context.protocol.empty());
    });
    Notes notes(ticker, hooks);
    auto [transport, protocol] = co_await create_connection([&] { return P(notes); }, {.sock = &one});
    notes.note("connected");
    co_await steps(transport, other, ticker);
    co_await passes(6);
    transport.abort();
    co_await passes(3);
}

// What happens to the connection.

Coro<> nothing(Transport, const Socket&, const Ticker&) { co_return; }
Coro<> sends_abc(Transport, const Socket& other, const Ticker&) {
    support::send_now(other, "abc");
    co_await passes(3);
}
Coro<> sends_more(Transport, const Socket& other, const Ticker&) {
    support::send_now(other, "abcdef");
    co_await passes(3);
}
Coro<> sends_twice(Transport, const Socket& other, const Ticker&) {
    support::send_now(other, "abc");
    co_await passes(3);
    support::send_now(other, "def");
    co_await passes(3);
}
Coro<> ends(Transport, const Socket& other, const Ticker&) {
    other.state()->shutdown(Shut::WR);
    co_await passes(3);
}
Coro<> sends_and_ends(Transport, const Socket& other, const Ticker&) {
    support::send_now(other, "abc");
    other.state()->shutdown(Shut::WR);
    co_await passes(4);
}
Coro<> fills(Transport transport, const Socket& other, const Ticker& ticker) {
    transport.write(std::string(1'000'000, 'x'));
    trace += std::to_string(ticker.count) + " written\n";
    co_await passes(2);
    while (transport.get_write_buffer_size() > 0) {
        while (!support::receive_now(other, 1 << 20).empty()) {
        }
        co_await passes(1);
    }
    trace += "sent\n";
}
Coro<> pauses(Transport transport, const Socket& other, const Ticker& ticker) {
    transport.pause_reading();
    support::send_now(other, "abc");
    co_await passes(3);
    trace += std::to_string(ticker.count) + " resumes\n";
    transport.resume_reading();
    co_await passes(3);
}

void closes(const Transport& transport) { transport.close(); }
void aborts(const Transport& transport) { transport.abort(); }
void throws(const Transport&) { throw ValueError("no"); }
void throws_os_error(const Transport&) { throw OSError("os"); }
void writes_and_closes(const Transport& transport) {
    transport.write("x");
    transport.close();
}

Hooks at(const std::string& call, Hook hook) {
    Hooks hooks;
    hooks.calls[call] = std::move(hook);
    return hooks;
}

Coro<> all_scenarios() {
    Hooks none;
    Hooks staying = {.stays_open = true};
    Hooks empty = {.buffer_size = 0};
    Hooks both = at("pause", throws);
    both.calls["resume"] = throws;
    co_await scenario<Plain>("data and an end", none, sends_and_ends);
    co_await scenario<Plain>("stays open", staying, sends_and_ends);
    co_await scenario<Plain>("made throws", at("made", throws), sends_abc);
    co_await scenario<Plain>("made aborts", at("made", aborts), nothing);
    co_await scenario<Plain>("made closes after a write", at("made", writes_and_closes), nothing);
    co_await scenario<Plain>("data throws", at("data", throws), sends_twice);
    co_await scenario<Plain>("data throws OSError", at("data", throws_os_error), sends_twice);
    co_await scenario<Plain>("data closes", at("data", closes), sends_twice);
    co_await scenario<Plain>("data aborts", at("data", aborts), sends_twice);
    co_await scenario<Plain>("eof throws", at("eof", throws), ends);
    co_await scenario<Plain>("lost throws", at("lost", throws), ends);
    co_await scenario<Buffered>("buffer", none, sends_more);
    co_await scenario<Buffered>("empty buffer", empty, sends_abc);
    co_await scenario<Buffered>("get_buffer throws", at("get_buffer", throws), sends_abc);
    co_await scenario<Buffered>("updated throws", at("updated", throws), sends_more);
    co_await scenario<Buffered>("buffered end", none, ends);
    co_await scenario<Plain>("pause and resume", none, fills);
    co_await scenario<Plain>("pause and resume throw", both, fills);
    co_await scenario<Plain>("resume closes", at("resume", closes), fills);
    co_await scenario<Plain>("resume aborts", at("resume", aborts), fills);
    co_await scenario<Plain>("pause aborts", at("pause", aborts), fills);
    co_await scenario<Plain>("reading paused", none, pauses);
}

constexpr const char* as_cpython = R"(
--- data and an end
1 made
2 connected
3 data abc
4 eof
5 lost None
--- stays open
1 made
2 connected
3 data abc
4 eof
13 lost None
--- made throws
1 made
1 told Exception in callback ValueError('no')
2 connected
3 data abc
12 lost None
--- made aborts
1 made
2 lost None
2 connected
--- made closes after a write
1 made
2 lost None
2 connected
--- data throws
1 made
2 connected
3 data abc
3 told Fatal error: protocol.data_received ValueError('no')
4 lost ValueError('no')
--- data throws OSError
1 made
2 connected
3 data abc
4 lost OSError('os')
--- data closes
1 made
2 connected
3 data abc
4 lost None
--- data aborts
1 made
2 connected
3 data abc
4 lost None
--- eof throws
1 made
2 connected
3 eof
3 told Fatal error: protocol.eof_received ValueError('no')
4 lost ValueError('no')
--- lost throws
1 made
2 connected
3 eof
4 lost None
4 told Exception in callback ValueError('no')
--- buffer
1 made
2 connected
3 get_buffer
3 updated abcd
4 get_buffer
4 updated ef
12 lost None
--- empty buffer
1 made
2 connected
3 get_buffer
3 told Fatal error: protocol.get_buffer RuntimeError('get_buffer() returned an empty buffer')
4 lost RuntimeError('get_buffer() returned an empty buffer')
--- get_buffer throws
1 made
2 connected
3 get_buffer
3 told Fatal error: protocol.get_buffer ValueError('no')
4 lost ValueError('no')
--- updated throws
1 made
2 connected
3 get_buffer
3 updated abcd
3 told Fatal error: protocol.buffer_updated ValueError('no')
4 lost ValueError('no')
--- buffered end
1 made
2 connected
3 get_buffer
3 eof
4 lost None
--- pause and resume
1 made
2 connected
2 pause
2 written
11 resume
sent
19 lost None
--- pause and resume throw
1 made
2 connected
2 pause
2 told protocol.pause_writing ValueError('no')
2 written
11 resume
11 told protocol.resume_writing ValueError('no')
sent
19 lost None
--- resume closes
1 made
2 connected
2 pause
2 written
11 resume
sent
12 lost None
--- resume aborts
1 made
2 connected
2 pause
2 written
11 resume
sent
12 lost None
--- pause aborts
1 made
2 connected
2 pause
2 written
3 lost None
sent
--- reading paused
1 made
2 connected
5 resumes
6 data abc
15 lost None
)";

TEST_F(ProtocolTraceTest, IsTheSameAsThatOfCPython) {
    trace = "\n";
    support::run_each_pass([] { return all_scenarios(); });
    EXPECT_EQ(trace, as_cpython);
}

}  // namespace
}  // namespace asyncio
