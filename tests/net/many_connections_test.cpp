#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/start_server.h>
#include <asyncio/sync/event.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/run.h>
#include <asyncio/tasks/sleep.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/stream_support.h"

using namespace asyncio;
using namespace std::chrono_literals;
using support::NetTest;
using support::port_of;
using support::run_net;

namespace {

/// Lets the process have so many descriptors, while it lives.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t wanted) {
        ::getrlimit(RLIMIT_NOFILE, &former_);
        rlimit raised = {wanted, former_.rlim_max > wanted ? former_.rlim_max : wanted};
        raised_ = former_.rlim_cur >= wanted || ::setrlimit(RLIMIT_NOFILE, &raised) == 0;
    }
    ~DescriptorLimit() {
        if (raised_) ::setrlimit(RLIMIT_NOFILE, &former_);
    }
    DescriptorLimit(const DescriptorLimit&) = delete;
    bool raised() const { return raised_; }

private:
    rlimit former_ = {};
    bool raised_ = false;
};

using ManyConnectionsTest = NetTest;

constexpr int count = 10'000;

/// Connects so often, waits until all are connected, and lets each have a line echoed. How many were right.
Coro<int> be_clients(int port) {
    Semaphore connecting(500);  // no more than the server's line takes
    Event all_are_there;
    int there = 0;
    auto client = [&](int number) -> Coro<bool> {
        Streams streams;
        {
            auto place = co_await connecting.guard();
            streams = co_await open_connection("127.0.0.1", port);
        }
        if (++there == count) all_are_there.set();
        co_await all_are_there.wait();
        std::string line = "client " + std::to_string(number) + "\n";
        streams.writer.write(line);
        std::string back = co_await streams.reader.readline();
        streams.writer.close();
        co_await streams.writer.wait_closed();
        co_return back == line;
    };
    std::vector<Coro<bool>> clients;
    for (int i = 0; i < count; ++i) clients.push_back(client(i));
    std::vector<bool> results = co_await gather(std::move(clients));
    int right = 0;
    for (bool result : results) right += result;
    co_return right;
}

// The two ends are in processes of their own, so that neither needs more than 10,000 descriptors.
TEST_F(ManyConnectionsTest, TenThousandAtOnceAreServed) {
    DescriptorLimit limit(count + 500);
    if (!limit.raised()) GTEST_SKIP() << "this process may not have 10,500 descriptors";
    Socket listening = support::listener("127.0.0.1", 1000);
    int port = listening.getsockname().port();
    pid_t child = ::fork();
    if (child == 0) {
        listening.close();
        ::_exit(run(be_clients(port)) == count ? 0 : 1);
    }
    run_net([&]() -> Coro<> {
        int at_once = 0;
        int most = 0;
        int served = 0;
        Event all_served;
        auto echo = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            most = std::max(most, ++at_once);
            while (auto line = co_await reader.next()) {
                writer.write(*line);
                co_await writer.drain();
            }
            --at_once;
            writer.close();
            if (++served == count) all_served.set();
        };
        Server server = co_await start_server(echo, {.sock = &listening, .backlog = 1000});
        co_await all_served.wait();
        EXPECT_EQ(most, count);
        EXPECT_EQ(at_once, 0);
        server.close();
        co_await server.wait_closed();
    });
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
