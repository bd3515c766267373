// Forwards a port to another, no faster than so many bytes in a second: protocols on both sides that hand on what comes
// in the pass in which it came, hold each other up, and end in halves as the connections do.
#include <asyncio/asyncio.h>
#include <asyncio/contextlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

/// Tokens for bytes; it may go below zero, and tells how long that takes to make up for.
class Bucket {
public:
    Bucket(double rate, double burst)
        : rate_(rate), burst_(burst), tokens_(burst), filled_(get_running_loop().time()) {}

    Seconds take(std::size_t count) {
        TimePoint now = get_running_loop().time();
        tokens_ = std::min(burst_, tokens_ + (now - filled_).count() * rate_) - static_cast<double>(count);
        filled_ = now;
        return Seconds(std::max(0.0, -tokens_ / rate_));
    }

private:
    double rate_, burst_, tokens_;
    TimePoint filled_;
};

struct Statistics {
    int connections = 0, delays = 0, refused = 0;
};

struct Link {
    int ends = 0;  // how many of the two directions are over
};

class Side : public Protocol {
public:
    Side(std::shared_ptr<Link> link, Bucket& bucket, Statistics& statistics)
        : link_(link), bucket_(bucket), statistics_(statistics) {}

    void connection_made(Transport transport) override { transport_ = transport; }
    void data_received(std::string_view data) override {
        peer.write(data);
        Seconds delay = bucket_.take(data.size());
        if (delay <= 0s) return;
        ++statistics_.delays;
        transport_.pause_reading();
        timer_ = get_running_loop().call_later(delay, &Transport::resume_reading, transport_);
    }
    bool eof_received() override {
        peer.write_eof();
        return ++link_->ends < 2;  // else it is closed
    }
    void pause_writing() override { peer.pause_reading(); }
    void resume_writing() override { peer.resume_reading(); }
    void connection_lost(std::exception_ptr) override {
        timer_.cancel();
        if (peer) peer.close();
    }

    Transport peer;

protected:
    std::shared_ptr<Link> link_;
    Bucket& bucket_;
    Statistics& statistics_;
    Transport transport_;
    TimerHandle timer_;
};

class Entrance : public Side {
public:
    Entrance(Bucket& bucket, Statistics& statistics, int port)
        : Side(std::make_shared<Link>(), bucket, statistics), port_(port) {}

    void connection_made(Transport transport) override {
        Side::connection_made(transport);
        transport.pause_reading();
        create_task(connect, ref_of(this));
    }

private:
    static Coro<> connect(ProtocolRef<Entrance> self) {
        try {
            auto factory = [&] { return make_protocol<Side>(self->link_, self->bucket_, self->statistics_); };
            auto [upstream, side] = co_await create_connection(factory, "127.0.0.1", self->port_);
            self->peer = upstream;
            side->peer = self->transport_;
            ++self->statistics_.connections;
            self->transport_.resume_reading();
        } catch (const OSError&) {
            ++self->statistics_.refused;
            self->transport_.abort();
        }
    }
    int port_;
};

Coro<> echo(StreamReader reader, StreamWriter writer) {
    while (true) {
        std::string data = co_await reader.read(65536);
        if (data.empty()) break;
        writer.write(std::move(data));
        co_await writer.drain();
    }
    writer.write(" and that is all");
    writer.close();
}

Coro<std::string> ask(int port, std::string text) {
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    writer.write(text);
    writer.write_eof();
    co_return co_await try_finally(reader.read(), [&] { writer.close(); });
}

int port_of(const Server& server) { return server.sockets()[0].getsockname().port(); }

Coro<> ask_all(int entrance) {
    std::string said = co_await ask(entrance, "hello");
    std::puts(said.c_str());
    TimePoint began = get_running_loop().time();
    auto answers = co_await gather(ask(entrance, std::string(20'000, 'a')), ask(entrance, std::string(10'000, 'b')));
    auto& [one, other] = answers;
    bool is_slow = get_running_loop().time() - began > 0.05s;
    std::printf("[%zu, %zu] not too fast: %s\n", one.size(), other.size(), repr(is_slow).c_str());
}

Coro<> amain() {
    Statistics statistics;
    Server target = co_await start_server(echo, "127.0.0.1", 0);
    Bucket bucket(300'000, 10'000);
    auto factory = [&, port = port_of(target)] { return Entrance(bucket, statistics, port); };
    Server forwarder = co_await create_server(factory, "127.0.0.1", 0);
    int entrance = port_of(forwarder);
    co_await with(forwarder, [&](Server&) -> Coro<> {
        co_await with(target, [&](Server&) { return ask_all(entrance); });
        try {
            co_await ask(entrance, "is anybody there?");
            std::puts("nothing");
        } catch (const ConnectionResetError&) {
            std::puts("reset");
        }
    });
    std::printf("%d %d %s\n", statistics.connections, statistics.refused, repr(statistics.delays > 0).c_str());
}

int main() { return run_main(amain()); }
