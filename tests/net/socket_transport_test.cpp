// A protocol that is no stream stands on a transport, too.
#include <asyncio/asyncio.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

#include "loop/loop_core.h"
#include "net/server_state.h"
#include "net/socket_transport.h"
#include "support/run_test.h"

namespace asyncio {
namespace {

using detail::Protocol;
using detail::Ref;
using detail::SocketTransport;
using detail::Transport;
using support::run_test;

/// Notes what it is told.
class Recorder final : public Protocol {
public:
    std::string told;
    bool stays_open = true;     // after the other's end
    bool has_a_buffer = false;  // of its own
    std::array<char, 4> buffer = {};

    void connection_made(Transport&) override { told += "made;"; }
    WritableBytes get_buffer() noexcept override { return has_a_buffer ? WritableBytes(buffer) : WritableBytes(); }
    void buffer_updated(std::size_t size) override { told += "buffer " + std::string(buffer.data(), size) + ";"; }
    void data_received(std::string_view data) override { told += "data " + std::string(data) + ";"; }
    bool eof_received() noexcept override {
        told += "eof;";
        return stays_open;
    }
    void pause_writing() noexcept override { told += "pause;"; }
    void resume_writing() noexcept override { told += "resume;"; }
    void connection_lost(std::exception_ptr error) noexcept override { told += error ? "error;" : "lost;"; }
    void detached() noexcept override { told += "detached;"; }
};

/// A transport for it, which keeps itself until the connection is over.
Transport& connect(Socket socket, const Ref<Recorder>& recorder) {
    auto* transport = new SocketTransport(detail::running_core(), std::move(socket), recorder, {}, nullptr);
    transport->begin(1, nullptr);
    return *transport;
}

TEST(SocketTransportTest, TellsItsProtocolInOrder) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        Ref<Recorder> recorder(new Recorder);
        Transport& transport = connect(std::move(one), recorder);
        EXPECT_EQ(recorder->told, "");
        co_await sock_sendall(other, "abc");
        co_await sleep(0.01);
        EXPECT_EQ(recorder->told, "made;data abc;");
        transport.write("hello");
        transport.close();
        EXPECT_EQ(recorder->told, "made;data abc;");  // the end is told in a pass of its own
        co_await sleep(0);
        co_await sleep(0);
        EXPECT_EQ(recorder->told, "made;data abc;lost;detached;");
        std::string received = co_await sock_recv(other, 10);
        EXPECT_EQ(received, "hello");
    });
}

TEST(SocketTransportTest, ReceivesIntoTheBufferOfItsProtocol) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        Ref<Recorder> recorder(new Recorder);
        recorder->has_a_buffer = true;
        Ref<Transport> transport(&connect(std::move(one), recorder));
        co_await sock_sendall(other, "abcdef");
        co_await sleep(0.01);
        EXPECT_EQ(recorder->told, "made;buffer abcd;buffer ef;");
        transport->abort();
        co_await sleep(0.01);
        EXPECT_TRUE(transport->is_closing());
    });
}

TEST(SocketTransportTest, AsksItsProtocolWhetherItStaysOpenAfterAnEnd) {
    run_test([]() -> Coro<> {
        for (bool stays_open : {true, false}) {
            auto [one, other] = socketpair();
            Ref<Recorder> recorder(new Recorder);
            recorder->stays_open = stays_open;
            Ref<Transport> transport(&connect(std::move(one), recorder));
            other.shutdown(Shut::WR);
            co_await sleep(0.01);
            EXPECT_EQ(recorder->told, stays_open ? "made;eof;" : "made;eof;lost;detached;");
            transport->abort();
            co_await sleep(0.01);
            EXPECT_EQ(recorder->told, "made;eof;lost;detached;");
        }
    });
}

TEST(SocketTransportTest, PausesTheWritingOfItsProtocolAtTheWaterMarks) {
    run_test([]() -> Coro<> {
        auto [one, other] = socketpair();
        Ref<Recorder> recorder(new Recorder);
        Ref<Transport> transport(&connect(std::move(one), recorder));
        co_await sleep(0.01);
        std::size_t left = 4'000'000;
        transport->write(std::string(left, 'x'));
        EXPECT_EQ(recorder->told, "made;pause;");
        while (left > 0) {
            std::string data = co_await sock_recv(other, 1'000'000);
            left -= data.size();
        }
        co_await sleep(0.01);
        EXPECT_EQ(recorder->told, "made;pause;resume;");
        transport->abort();
        co_await sleep(0.01);
    });
}

}  // namespace
}  // namespace asyncio
