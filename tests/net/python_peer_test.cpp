#include <asyncio/errors/os_errors.h>
#include <asyncio/net/open_connection.h>
#include <asyncio/net/start_server.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/to_thread.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/tasks/with.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "net/stream_support.h"

// Our streams against those of Python: both sides send and receive in random pieces, and some conversations are closed
// or reset in the middle, by either side.

using namespace asyncio;
using namespace std::chrono_literals;
using support::NetTest;
using support::port_of;
using support::run_net;

namespace {

using PythonPeerExecutorTest = NetTest;  // the end of the Python program is waited for on a thread

constexpr int conversations = 40;

const std::string common = R"(
import asyncio, random, socket, struct, sys

def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

async def maybe_wait(chance, writer):
    if chance.random() < 0.5:
        await writer.drain()
    if chance.random() < 0.3:
        await asyncio.sleep(0)
)";

const std::string client = common + R"(
async def talk(port, seed):
    chance = random.Random(seed)
    mode = chance.choice(("end", "end", "close", "reset"))
    data = chance.randbytes(chance.randint(0, 200_000))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send():
        at, stop = 0, len(data) if mode == "end" else chance.randint(0, len(data))
        while at < stop:
            size = min(chance.choice((1, 10, 3000, 50_000)), stop - at)
            writer.write(data[at:at + size])
            at += size
            await maybe_wait(chance, writer)
        if mode == "end":
            writer.write_eof()

    async def receive():
        received = bytearray()
        while part := await reader.read(chance.choice((10, 3000, 65536))):
            received += part
        return bytes(received)

    receiving = asyncio.create_task(receive())
    await send()
    if mode == "end":
        received = await receiving
        assert received == data, (seed, len(received), len(data))
        writer.close()
    else:
        receiving.cancel()
        reset(writer) if mode == "reset" else writer.close()

async def main(port, count):
    async with asyncio.TaskGroup() as group:
        for seed in range(count):
            group.create_task(talk(port, seed))

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
print("all is well")
)";

const std::string server = common + R"(
async def answer(reader, writer):
    chance = random.Random()
    try:
        mode, left = struct.unpack("!BI", await reader.readexactly(5))
        while part := await reader.read(chance.choice((10, 3000, 65536))):
            writer.write(part)
            await maybe_wait(chance, writer)
            left -= len(part)
            if left <= 0 and mode == 1:
                break
            if left <= 0 and mode == 2:
                return reset(writer)
    except (ConnectionError, EOFError):
        pass
    writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
)";

/// Runs a program in Python, to write to or to read from.
class Python {
public:
    Python(const std::string& program, const std::string& arguments, const char* direction)
        : file_(::popen(("exec python3 -c '" + program + "' " + arguments).c_str(), direction)) {}
    std::string read_all() {
        std::string text;
        while (std::fgets(line_, sizeof line_, file_) != nullptr) text += line_;
        return text;
    }
    int close() { return ::pclose(std::exchange(file_, nullptr)); }

private:
    char line_[1000];
    std::FILE* file_;
};

std::string random_bytes(std::mt19937& chance, std::size_t size) {
    std::string data(size, '\0');
    for (char& c : data) c = static_cast<char>(chance());
    return data;
}

Coro<> maybe_wait(std::mt19937& chance, const StreamWriter& writer) {
    if (chance() % 2 == 0) co_await writer.drain();
    if (chance() % 3 == 0) co_await sleep(0s);
}

Coro<> echo(StreamReader reader, StreamWriter writer) {
    std::mt19937 chance(1);
    const std::ptrdiff_t sizes[] = {1, 3000, 65536};
    try {
        while (true) {
            std::string part = co_await reader.read(sizes[chance() % 3]);
            if (part.empty()) break;
            writer.write(part);
            co_await maybe_wait(chance, writer);
        }
    } catch (const ConnectionError&) {
    }
    writer.close();
}

TEST_F(PythonPeerExecutorTest, OurServerServesPythonsClients) {
    run_net([]() -> Coro<> {
        Server serving = co_await start_server(echo, "127.0.0.1", 0);
        Python clients(client, std::to_string(port_of(serving)) + " " + std::to_string(conversations), "r");
        std::string said = co_await to_thread([&] { return clients.read_all(); });
        EXPECT_EQ(said, "all is well\n");
        EXPECT_EQ(clients.close(), 0);
        serving.close();
        co_await serving.wait_closed();
    });
}

/// How the conversation is to end: by the client, or by the server after so many bytes.
enum Ending : unsigned { all_is_echoed, server_closes, server_resets, client_closes, client_resets };

Coro<> send_all(const StreamWriter& writer, const std::string& data, std::mt19937& chance) {
    const std::size_t sizes[] = {1, 10, 3000, 50'000};
    for (std::size_t at = 0; at < data.size();) {
        std::size_t size = std::min(sizes[chance() % 4], data.size() - at);
        writer.write(BytesLike(data.data() + at, size));
        at += size;
        co_await maybe_wait(chance, writer);
    }
}

Coro<std::string> receive_all(const StreamReader& reader, std::mt19937& chance, const std::string& sent) {
    std::string received;
    char buffer[3000];
    while (true) {
        std::size_t size = co_await reader.read_into(WritableBytes(buffer, 1 + chance() % sizeof buffer));
        if (size == 0) break;
        received.append(buffer, size);
        EXPECT_EQ(received, sent.substr(0, received.size()));
    }
    co_return received;
}

Coro<> talk(int port, unsigned seed) {
    std::mt19937 chance(seed);
    auto ending = static_cast<Ending>(chance() % 5);
    std::string data = random_bytes(chance, chance() % 100'000);
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    std::uint32_t left = static_cast<std::uint32_t>(data.size()) / 2;
    unsigned mode = ending == server_closes || ending == server_resets ? unsigned{ending} : 0;
    const unsigned char head[] = {static_cast<unsigned char>(mode), static_cast<unsigned char>(left >> 24),
                                  static_cast<unsigned char>(left >> 16), static_cast<unsigned char>(left >> 8),
                                  static_cast<unsigned char>(left)};
    writer.write(BytesLike(head, sizeof head));
    Task<std::string> receiving = create_task(receive_all(reader, chance, data));
    std::string said;
    try {
        co_await send_all(writer, data, chance);
        if (ending == client_resets) support::reset(writer);
        if (ending == client_closes) writer.close();
        if (mode == 0 && !writer.is_closing()) writer.write_eof();
        std::string received = co_await receiving;
        if (ending == all_is_echoed) {
            EXPECT_EQ(received.size(), data.size());
        }
        said = "end";
    } catch (const ConnectionError& error) {
        said = error.what();
    }
    if (ending == all_is_echoed) {
        EXPECT_EQ(said, "end");
    }
    if (!receiving.done()) co_await wait(receiving);
    if (!receiving.cancelled()) static_cast<void>(receiving.exception());
    writer.close();
}

TEST_F(PythonPeerExecutorTest, OurClientsTalkToPythonsServer) {
    char name[] = "/tmp/asyncio-peer-XXXXXX";
    ::close(::mkstemp(name));
    Python serving(server, std::string("> ") + name, "w");
    int port = 0;
    for (int i = 0; i < 3000 && port == 0; ++i) {  // until it listens
        std::FILE* file = std::fopen(name, "r");
        if (std::fscanf(file, "%d\n", &port) != 1) port = 0;
        std::fclose(file);
        if (port == 0) ::usleep(10'000);
    }
    ::unlink(name);
    ASSERT_NE(port, 0);
    run_net([&]() -> Coro<> {
        co_await with(TaskGroup{}, [&](TaskGroup& group) {
            for (unsigned seed = 0; seed < conversations; ++seed) group.create_task(talk(port, seed));
        });
    });
    EXPECT_EQ(serving.close(), 0);
}

}  // namespace
