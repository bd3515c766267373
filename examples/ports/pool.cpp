// A pool of connections to a line server: made when they are needed, used last in first out, thrown away when they are
// broken or too old, and closed in the end; with a limit for how long somebody waits for one.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

struct PoolTimeout : RuntimeError {
    using RuntimeError::RuntimeError;
};

struct Link {  // not Connection, which is a name of asyncio's
    Coro<> open(int port) {
        auto [new_reader, new_writer] = co_await open_connection("127.0.0.1", port);
        reader = new_reader;
        writer = new_writer;
        number = ++last_number;
    }
    Coro<std::string> ask(std::string text) {
        writer.write(text + "\n");
        std::string answer = co_await reader.readline();
        if (answer.empty()) throw ConnectionResetError("the server has hung up");
        co_return answer.substr(0, answer.find('\n'));
    }
    Coro<> close() {
        writer.close();
        try {
            co_await writer.wait_closed();
        } catch (const ConnectionError&) {
        }
    }
    static inline int last_number = 0;
    int number = 0, uses = 0;
    StreamReader reader;
    StreamWriter writer;
};
using LinkPtr = std::shared_ptr<Link>;

class Pool {
public:
    Pool(int port, std::size_t most, Seconds patience, int most_uses)
        : port_(port), most_(most), patience_(patience), most_uses_(most_uses) {}

    void aenter() {}
    Coro<> aexit(std::exception_ptr) {
        auto guard = co_await changed_.guard();
        co_await changed_.wait_for([&] { return free.size() == count; });
        std::vector<int> numbers;
        for (const LinkPtr& each : free) numbers.push_back(each->number);
        std::printf("closing %s\n", repr(numbers).c_str());
        std::vector<Coro<>> closing;
        for (const LinkPtr& each : free) closing.push_back(each->close());
        co_await gather(std::move(closing));
    }

    auto connection() { return asynccontextmanager(taken()); }

    std::vector<LinkPtr> free;
    std::size_t count = 0;

private:
    Coro<LinkPtr> take() {
        auto guard = co_await changed_.guard();
        try {
            co_await with(timeout(patience_),
                          [&](Timeout&) { return changed_.wait_for([&] { return !free.empty() || count < most_; }); });
        } catch (const TimeoutError&) {
            throw PoolTimeout("all " + std::to_string(most_) + " are in use");
        }
        if (!free.empty()) {
            LinkPtr last = free.back();
            free.pop_back();
            co_return last;
        }
        ++count;
        guard.release();
        auto made = std::make_shared<Link>();
        co_await try_except<BaseException>(made->open(port_), [&](const std::exception_ptr& error) -> Coro<> {
            co_await give_back(nullptr);
            std::rethrow_exception(error);
        });
        co_return made;
    }
    Coro<> give_back(LinkPtr connection) {
        auto guard = co_await changed_.guard();
        if (connection) {
            free.push_back(connection);
        } else {
            --count;
        }
        changed_.notify();
    }
    AsyncGenerator<Link&> taken() {
        LinkPtr connection = co_await take();
        std::exception_ptr error;
        try {
            ++connection->uses;
            co_yield *connection;
        } catch (...) {  // a cancelled one, too, still owes an answer
            error = std::current_exception();
            std::printf("connection %d is broken\n", connection->number);
        }
        if (error || connection->uses >= most_uses_) {
            co_await connection->close();
            connection = nullptr;
        }
        co_await shield(give_back(connection));
        if (error) std::rethrow_exception(error);
    }

    int port_;
    std::size_t most_;
    Seconds patience_;
    int most_uses_;
    Condition changed_;
};

Coro<> serve(StreamReader reader, StreamWriter writer) {
    while (auto line = co_await reader.next()) {
        if (line->starts_with("sleep ")) co_await sleep(std::stod(line->substr(6)));
        if (*line == "hang up\n") break;
        for (char& each : *line) each = static_cast<char>(std::toupper(each));
        writer.write(*line);
    }
    writer.close();
}

Coro<> query(Pool& pool, std::string text) {
    try {
        co_await with(pool.connection(), [&](Link& connection) -> Coro<> {
            std::string answer = co_await connection.ask(text);
            std::printf("%d: %s\n", connection.number, answer.c_str());
        });
    } catch (const PoolTimeout& error) {
        std::printf("%s: PoolTimeout: %s\n", text.c_str(), error.what());
    } catch (const ConnectionResetError& error) {
        std::printf("%s: %s: %s\n", text.c_str(), type_name(error).c_str(), error.what());
    }
}

Coro<> use(Pool& pool) {
    co_await query(pool, "one");
    co_await query(pool, "two");
    co_await gather(query(pool, "sleep 0.06 three"), query(pool, "sleep 0.12 four"), query(pool, "five"));
    co_await query(pool, "hang up");
    co_await with(pool.connection(), [&](Link& first) -> Coro<> {
        co_await with(pool.connection(), [&](Link& second) -> Coro<> {
            co_await query(pool, "six");
            std::printf("%d %d\n", first.number, second.number);
        });
    });
    Task<> waiting = create_task(query(pool, "sleep 0.1"));
    co_await sleep(0.02);
    waiting.cancel();
    co_await wait(waiting);
    std::printf("cancelled: %s open: %zu free: %zu\n", repr(waiting.cancelled()).c_str(), pool.count, pool.free.size());
}

Coro<> amain() {
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    Pool pool(server.sockets()[0].getsockname().port(), 2, 0.15s, 3);
    co_await with(server, [&](Server&) { return with(pool, use); });
}

int main() { return run_main(amain()); }
