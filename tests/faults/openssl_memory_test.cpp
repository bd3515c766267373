// OpenSSL's own memory fails, which no other test does: it asks malloc() for it. Where it is missing there is no test.
#ifdef FAULTS_TLS

#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "tls/engine_support.h"

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

std::atomic<long> asked = 0;
std::atomic<long> first_to_fail = -1;  // none
std::atomic<bool> all_fail = false;

bool fails() {
    long number = ++asked;
    return first_to_fail > 0 && (all_fail ? number >= first_to_fail : number == first_to_fail);
}
void* get(std::size_t size, const char*, int) { return fails() ? nullptr : std::malloc(size); }
void* get_more(void* block, std::size_t size, const char*, int) {
    return fails() ? nullptr : std::realloc(block, size);
}
void give_back(void* block, const char*, int) { std::free(block); }

const int is_hooked = CRYPTO_set_mem_functions(&get, &get_more, &give_back);  // before anybody has asked for any

Coro<> echo(StreamReader reader, StreamWriter writer) {
    std::string line = co_await reader.readline();
    writer.write(line);
    writer.close();
}

Coro<> talk() {
    Server server = co_await start_server(echo, "127.0.0.1", 0, {.ssl = support::for_servers()});
    int port = server.sockets().at(0).getsockname().port();
    OpenConnectionOptions options = {.ssl = support::for_clients(), .server_hostname = "localhost"};
    Streams streams = co_await open_connection("127.0.0.1", port, options);
    streams.writer.write("hello\n");
    std::string line = co_await streams.reader.readline();
    EXPECT_TRUE(line == "hello\n" || line.empty()) << line;
    streams.writer.close();
    co_await streams.writer.wait_closed();
    server.close();
    co_await server.wait_closed();
}

/// Nothing, if it ends with what was wanted or with a lack of memory, or what comes of that on the other end.
std::string outcome_of_talk(long first, bool all_that_follow) {
    std::string outcome;
    set_log_handler([](LogLevel, std::string_view) {});
    asked = 0;
    all_fail = all_that_follow;
    first_to_fail = first;
    try {
        run(wait_for(talk(), 10s));
    } catch (const TimeoutError&) {
        outcome = "it hangs";
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    } catch (...) {
        outcome = repr(std::current_exception());
    }
    first_to_fail = -1;
    if (ERR_peek_error() != 0) outcome += "the queue of errors is left dirty";
    ERR_clear_error();
    return outcome;
}

TEST(OpensslWithoutMemory, EndsTheConnection) {
    ASSERT_EQ(is_hooked, 1);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(outcome_of_talk(-1, false), "");  // what is made once and for all
    long all = asked;
    EXPECT_GT(all, 100);
    long step = std::getenv("FAULTS_EACH") != nullptr ? 1 : std::max(1L, all / 40);
    for (bool all_that_follow : {false, true}) {
        for (long first = 1; first <= all; first += step) {
            EXPECT_EQ(outcome_of_talk(first, all_that_follow), "") << first << all_that_follow;
        }
    }
    EXPECT_EQ(outcome_of_talk(-1, false), "");
}

}  // namespace

#endif
