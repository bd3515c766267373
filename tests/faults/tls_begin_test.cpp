// A handshake that lacks memory for its beginning. Where OpenSSL is missing there is no test.
#ifdef FAULTS_TLS

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "faults/faults.h"
#include "net/stream_support.h"
#include "tls/engine_support.h"

using namespace asyncio;
using support::outcome_of;

namespace {

/// What becomes of it where allocation `number` fails in the pass in which TLS is told of its connection.
Coro<std::string> begin_without_memory(long number, bool is_server) {
    get_running_loop().set_exception_handler([](EventLoop&, const ExceptionContext&) {});
    auto [own, other] = socketpair();
    OpenConnectionOptions of_stream = {.sock = &own};
    Streams streams = co_await open_connection(of_stream);
    StartTlsOptions options = {.server_side = is_server};
    if (!is_server) options.server_hostname = "localhost";
    auto begin = [&]() -> Coro<> {
        co_await streams.writer.start_tls(is_server ? support::for_servers() : support::for_clients(), options);
    };
    auto beginning = create_task(begin);
    co_await asyncio::sleep(0);  // what is below has its new protocol, which is told in the next pass
    faults::set(faults::Kind::allocation, number, false);
    co_await asyncio::sleep(0);
    if (!faults::clear()) {  // nothing is left that could fail: it waits for the other end
        EXPECT_FALSE(beginning.done());
        streams.writer.abort();
        co_await outcome_of(wait(beginning));
        co_return "";
    }
    std::string outcome = co_await outcome_of(wait_for(beginning, 10.0));
    streams.writer.abort();
    co_return outcome;
}

TEST(TlsBeginFaults, EndAtOnceForWhoWaitsForTheHandshake) {
    for (bool is_server : {false, true}) {
        long failed = 0;
        for (;; ++failed) {
            std::string outcome = run(begin_without_memory(failed + 1, is_server));
            if (outcome.empty()) break;
            EXPECT_NE(outcome.find("bad_alloc"), outcome.npos) << outcome << " of " << failed + 1;
        }
        EXPECT_GT(failed, 0) << is_server;
    }
}

}  // namespace

#endif
