// How long protocols, transports and buffers live, whatever is done inside a protocol's methods.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/protocol_support.h"
#include "net/stream_support.h"

namespace asyncio {
namespace {

using support::Recorder;
using support::run_net;

class ProtocolLifetimeTest : public support::NetTest {};

/// Does something in each of its methods, and then still uses itself.
class Acting : public Recorder {
public:
    using Act = std::function<void(Acting&)>;
    Acting(std::string* told, Act act, std::string at) : Recorder(told), act_(std::move(act)), at_(std::move(at)) {}

    void connection_made(Transport its_transport) override {
        Recorder::connection_made(std::move(its_transport));
        act("made");
    }
    void data_received(std::string_view data) override {
        Recorder::data_received(data);
        act("data");
        last += data;  // the bytes are still there
    }
    bool eof_received() override {
        act("eof");
        return Recorder::eof_received();
    }
    void pause_writing() override {
        act("pause");
        Recorder::pause_writing();
    }
    void resume_writing() override {
        act("resume");
        Recorder::resume_writing();
    }
    void connection_lost(std::exception_ptr error) override {
        act("lost");
        Recorder::connection_lost(std::move(error));
    }
    std::string last;

private:
    void act(const std::string& where) {
        if (where == at_) act_(*this);
    }
    Act act_;
    std::string at_;
};

const std::vector<std::string> all_calls = {"made", "data", "eof", "pause", "resume", "lost"};

/// All of a connection's life: data, full buffers, an end.
Coro<> live(std::string* told, Acting::Act act, std::string at) {
    auto [one, other] = socketpair();
    auto made = co_await create_connection([&] { return Acting(told, act, at); }, {.sock = &one});
    Transport transport = std::move(made.transport);
    made = {};  // only the transport keeps the protocol
    support::send_now(other, "abc");
    co_await sleep(0.005);
    try {
        transport.write(std::string(1'000'000, 'x'));
    } catch (const RuntimeError&) {  // after write_eof()
    }
    for (int i = 0; i < 30; ++i) {
        while (!support::receive_now(other).empty()) {
        }
        co_await sleep(0.0002);  // the loop looks at its descriptors meanwhile
    }
    other.close();
    co_await sleep(0.005);
    transport.abort();
    co_await sleep(0.005);
    EXPECT_FALSE(transport.get_protocol());
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST_F(ProtocolLifetimeTest, TheEndIsToldOnceAndThenTheProtocolGoesWhatEverItDoesWhere) {
    std::vector<Acting::Act> acts = {
        [](Acting& self) { self.transport.close(); },
        [](Acting& self) { self.transport.abort(); },
        [](Acting& self) { self.transport.write("x"); },
        [](Acting& self) { self.transport.write_eof(); },
        [](Acting& self) { self.transport.pause_reading(); },
        [](Acting& self) { self.transport.resume_reading(); },
        [](Acting& self) { self.transport = Transport(); },
        [](Acting&) { throw ValueError("no"); },
        [](Acting&) { throw OSError("no"); },
        [](Acting&) { throw CancelledError(); },
        [](Acting&) { throw 1; },
    };
    for (std::size_t act = 0; act < acts.size(); ++act) {
        for (const std::string& at : all_calls) {
            SCOPED_TRACE(std::to_string(act) + " at " + at);
            std::string told;
            run_net([&]() -> Coro<> {
                get_running_loop().set_exception_handler([](EventLoop&, const ExceptionContext&) {});
                co_await live(&told, acts[act], at);
            });
            bool is_told = at != "lost" || act < 7;
            EXPECT_EQ(count(told, "lost"), is_told ? 1u : 0u) << told;
            EXPECT_EQ(count(told, "destroyed;"), 1u);
            EXPECT_TRUE(told.ends_with("destroyed;")) << told;
        }
    }
}

TEST_F(ProtocolLifetimeTest, AnotherProtocolMayTakeItsPlaceInEachOfItsMethods) {
    for (const std::string& at : all_calls) {
        SCOPED_TRACE(at);
        std::string told;
        std::string other_told;
        auto replace = [&](Acting& self) {
            self.transport.set_protocol(make_protocol<Recorder>(&other_told));
            self.last = "still here";
        };
        run_net([&]() -> Coro<> { co_await live(&told, replace, at); });
        EXPECT_EQ(count(told, "destroyed;"), 1u);
        EXPECT_EQ(count(told + other_told, "lost"), 1u) << told << other_told;
        EXPECT_TRUE(other_told.ends_with("destroyed;")) << other_told;
        EXPECT_EQ(count(other_told, "made"), 0u);
    }
}

TEST_F(ProtocolLifetimeTest, KeyboardInterruptLeavesTheLoopFromEachMethodAndTheRestGoesOn) {
    for (const std::string& at : all_calls) {
        SCOPED_TRACE(at);
        std::string told;
        EventLoop loop;
        auto interrupt = [](Acting&) { throw KeyboardInterrupt(); };
        auto task = loop.create_task(live(&told, interrupt, at));
        int interrupts = 0;
        while (!task.done()) {
            try {
                loop.run_until_complete(task);
            } catch (const KeyboardInterrupt&) {
                ++interrupts;
                if (task.done()) break;
            }
        }
        EXPECT_EQ(interrupts, 1);
        loop.close();
        EXPECT_TRUE(told.ends_with("destroyed;")) << told;
    }
}

TEST_F(ProtocolLifetimeTest, AHandleMayBeKeptWhenTheLoopIsGone) {
    Transport transport;
    std::string told;
    {
        EventLoop loop;
        auto [one, other] = socketpair();
        auto connect = [&](Socket* sock) -> Coro<> {
            auto made = co_await create_connection([&] { return Recorder(&told); }, {.sock = sock});
            transport = made.transport;
            transport.write("x");
        };
        loop.run_until_complete(connect(&one));
        EXPECT_EQ(told, "made;");
        loop.close();
        EXPECT_EQ(told, "made;destroyed;");  // as in CPython nothing is told when a loop is closed
        EXPECT_TRUE(transport.is_closing());
    }
    EXPECT_TRUE(transport.is_closing());
    EXPECT_FALSE(transport.is_reading());
    EXPECT_FALSE(transport.get_protocol());
    EXPECT_EQ(transport.get_write_buffer_size(), 0u);
    EXPECT_EQ(transport.get_extra_info("socket").socket().fileno(), -1);
    transport.write("y");
    transport.write_eof();
    transport.pause_reading();
    transport.resume_reading();
    transport.set_protocol(make_protocol<Recorder>(&told));
    EXPECT_EQ(told, "made;destroyed;destroyed;");
    transport.set_write_buffer_limits();
    transport.close();
    transport.abort();
    EXPECT_NE(repr(transport).find("closed"), std::string::npos);
}

TEST_F(ProtocolLifetimeTest, AnEmptyHandleSaysSo) {
    Transport transport;
    EXPECT_FALSE(transport);
    EXPECT_EQ(repr(transport), "None");
    std::string said;
    try {
        transport.close();
    } catch (const RuntimeError& error) {
        said = error.what();
    }
    EXPECT_EQ(said, "this handle is empty: it was default-constructed or moved from, and names no transport");
}

TEST_F(ProtocolLifetimeTest, AClosedLoopEndsConnectionsThatHaveNotBegun) {
    std::string told;
    EventLoop loop;
    Socket kept;
    auto begin = [&]() -> Coro<> {
        Server server = co_await create_server([&] { return Recorder(&told); }, "127.0.0.1", 0);
        kept = Socket(AddressFamily::INET);
        co_await sock_connect(kept, server.sockets()[0].getsockname());
    };
    loop.run_until_complete(begin());
    for (int i = 0; i < 2; ++i) {  // in different passes of its beginning
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
    }
    loop.close();
    kept.close();
    EXPECT_EQ(count(told, "lost"), 0u);
}

TEST_F(ProtocolLifetimeTest, ABufferMayBeReplacedWhenItWasFilled) {
    class Growing : public BufferedProtocol {
    public:
        void connection_made(Transport its_transport) override { transport = its_transport; }
        WritableBytes get_buffer(std::ptrdiff_t) override { return buffer; }
        void buffer_updated(std::size_t size) override {
            received.append(buffer.data(), size);
            buffer = std::vector<char>(buffer.size() * 2);
        }
        Transport transport;
        std::vector<char> buffer = std::vector<char>(1);
        std::string received;
    };
    run_net([]() -> Coro<> {
        auto [one, other] = socketpair();
        auto [transport, protocol] = co_await create_connection([] { return Growing(); }, {.sock = &one});
        std::string sent;
        for (int i = 0; i < 1000; ++i) sent += static_cast<char>('a' + i % 26);
        co_await sock_sendall(other, sent);
        while (protocol->received.size() < sent.size()) co_await sleep(0.001);
        EXPECT_EQ(protocol->received, sent);
        transport.close();
        co_await sleep(0);
    });
}

TEST_F(ProtocolLifetimeTest, ABufferIsLeftAloneWhenNothingIsToBeReceived) {
    class Stopping : public support::BufferedRecorder {
    public:
        using BufferedRecorder::BufferedRecorder;
        WritableBytes get_buffer(std::ptrdiff_t hint) override {
            note("get;");
            if (pauses) transport.pause_reading();
            return BufferedRecorder::get_buffer(hint);
        }
        bool pauses = true;
    };
    run_net([]() -> Coro<> {
        std::string told;
        auto [one, other] = socketpair();
        auto [transport, protocol] = co_await create_connection([&] { return Stopping(&told); }, {.sock = &one});
        co_await sock_sendall(other, "abc");
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;get;");
        protocol->pauses = false;
        transport.resume_reading();
        co_await sleep(0.01);
        EXPECT_EQ(told, "made;get;get;buffer abc;");
        transport.abort();
        co_await sleep(0);
    });
}

TEST_F(ProtocolLifetimeTest, ItIsCalledInTheContextInWhichItWasMade) {
    static ContextVar<int> var("var", 0);
    class Looking : public Protocol {
    public:
        explicit Looking(std::string* its_seen) : seen(its_seen) {}
        void connection_made(Transport) override {
            look("made");
            var.set(2);
        }
        void data_received(std::string_view) override {
            look("data");
            var.set(var.get() + 10);
        }
        bool eof_received() override {
            look("eof");
            return false;
        }
        void connection_lost(std::exception_ptr) override { look("lost"); }
        void look(const std::string& where) { *seen += where + " " + std::to_string(var.get()) + ";"; }
        std::string* seen;
    };
    std::string seen;
    run_net([&]() -> Coro<> {
        var.set(1);
        auto [one, other] = socketpair();
        auto made = co_await create_connection([&] { return Looking(&seen); }, {.sock = &one});
        var.set(5);
        for (int i = 0; i < 2; ++i) {
            co_await sock_sendall(other, "x");
            co_await sleep(0.005);
        }
        other.close();
        co_await sleep(0.005);
    });
    EXPECT_EQ(seen, "made 1;data 1;data 11;eof 21;lost 21;");  // as CPython 3.14 prints
}

}  // namespace
}  // namespace asyncio
