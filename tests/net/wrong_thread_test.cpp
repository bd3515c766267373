// In debug mode streams and servers find out that they are used in a thread that is not their loop's.
#include <asyncio/asyncio.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/run_test.h"

using namespace asyncio;

namespace {

// As the loop's own functions do.
TEST(WrongThread, InDebugModeStreamsAndServersThrowThereWhatWouldChangeThem) {
    auto body = []() -> Coro<> {
        auto pair = socketpair();
        auto& [first, second] = pair;
        auto streams = co_await open_connection({.sock = &first});
        Server server = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
        std::vector<std::string> told;
        auto use = [&] {
            StreamWriter& writer = streams.writer;
            told.push_back(support::outcome([&] { return writer.write("x"), 0; }));
            told.push_back(support::outcome([&] { return writer.writelines(std::vector<std::string>{"x", "y"}), 0; }));
            told.push_back(support::outcome([&] { return writer.write_eof(), 0; }));
            told.push_back(support::outcome([&] { return writer.close(), 0; }));
            told.push_back(support::outcome([&] { return writer.abort(), 0; }));
            told.push_back(support::outcome([&] { return writer.set_write_buffer_limits({.high = 1}), 0; }));
            told.push_back(support::outcome([&] { return streams.reader.feed_data("x"), 0; }));
            told.push_back(support::outcome([&] { return streams.reader.feed_eof(), 0; }));
            told.push_back(support::outcome([&] { return server.close(), 0; }));
            told.push_back(support::outcome([&] { return server.close_clients(), 0; }));
            told.push_back(support::outcome([&] { return server.abort_clients(), 0; }));
        };
        co_await to_thread(use);
        EXPECT_EQ(told.size(), 11U);
        for (const std::string& one : told) {
            EXPECT_EQ(one,
                      "RuntimeError('Non-thread-safe operation invoked on an event loop other than the current one')");
        }
        EXPECT_TRUE(server.is_serving());
        EXPECT_FALSE(streams.writer.is_closing());
        server.close();
        streams.writer.close();
    };
    run(body(), {.debug = true});
}

}  // namespace
