#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/sock.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/timeout.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <string>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::caught;
using support::connect_ends;
using support::Ends;
using support::NetTest;
using support::port_of;
using support::run_each_pass;
using support::Trace;

namespace {

using StreamTurnsTest = NetTest;

// The passes are those that CPython 3.14 prints for the same program.
TEST_F(StreamTurnsTest, EverythingHappensInThePassInWhichItDoesInPython) {
    run_each_pass([]() -> Coro<> {
        std::string first_name = current_task().get_name();
        Trace trace;
        auto serve = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            // Three numbers further: one was of start_server(), one of accepting.
            int number = std::stoi(current_task().get_name().substr(5)) - std::stoi(first_name.substr(5));
            trace("serve", number);
            for (;;) {
                std::string data = co_await reader.read(100);
                if (data.empty()) break;
                trace("got", data);
                writer.write(data);
                co_await writer.drain();
                trace("drained");
            }
            trace("eof");
            writer.close();
            co_await writer.wait_closed();
            trace("closed");
        };
        trace("start");
        Server server = co_await start_server(serve, "127.0.0.1", 0);
        trace("serving");
        auto [reader, writer] = co_await open_connection("127.0.0.1", port_of(server));
        trace("opened");
        writer.write("abc");
        trace("wrote");
        std::string got = co_await reader.read(10);
        trace("read", got);
        writer.write("de;fg");
        got = co_await reader.readuntil(";");
        trace("until", got);
        got = co_await reader.readexactly(2);
        trace("rest", got);
        writer.write_eof();
        trace("write_eof");
        got = co_await reader.read();
        trace("end" + got);
        writer.close();
        trace("close");
        co_await writer.wait_closed();
        trace("wait_closed");
        server.close();
        trace("srv.close");
        co_await server.wait_closed();
        trace("srv.wait_closed");
        EXPECT_EQ(trace.str(),
                  "0:start, 4:serving, 8:serve 3, 8:opened, 8:wrote, 10:got abc, 10:drained, 12:read abc, "
                  "14:got de;fg, 14:drained, 16:until de;, 16:rest fg, 16:write_eof, 18:eof, 20:closed, 21:end, "
                  "21:close, 23:wait_closed, 23:srv.close, 23:srv.wait_closed");
    });
}

// The same for the ends of a connection.
TEST_F(StreamTurnsTest, ErrorsComeInThePassInWhichTheyDoInPython) {
    run_each_pass([]() -> Coro<> {
        Ends ends = co_await connect_ends();
        auto& [reader, writer] = ends.client;
        auto& [server_reader, server_writer] = ends.server;
        Trace trace;
        writer.close();
        try {
            co_await writer.drain();
            trace("drained");
        } catch (const ConnectionResetError&) {
            trace(caught());
        }
        std::string got = co_await server_reader.read();
        trace("end" + got);
        server_writer.write("x");
        co_await sleep(10ms);
        Trace again;
        server_writer.write("x");
        again("closing", server_writer.is_closing());
        for (int i = 0; i < 4; ++i) {
            try {
                if (i == 0) {
                    co_await server_writer.drain();
                } else if (i == 1) {
                    co_await sleep(0s);
                    co_await server_writer.drain();
                } else if (i == 2) {
                    co_await server_writer.wait_closed();
                } else {
                    co_await server_reader.read();
                }
                again("nothing");
            } catch (const OSError&) {
                again(caught());
            }
        }
        EXPECT_EQ(trace.str(), "1:ConnectionResetError('Connection lost'), 3:end");
        EXPECT_EQ(again.str(),
                  "0:closing True, 1:ConnectionResetError('Connection lost'), 2:BrokenPipeError(32, 'Broken pipe'), "
                  "2:BrokenPipeError(32, 'Broken pipe'), 2:BrokenPipeError(32, 'Broken pipe')");
    });
}

}  // namespace
