// A client of Redis' protocol (RESP) whose commands are pipelined: replies come in the order of the commands, so a
// queue of futures is all that it takes. The server in it knows a few commands.
#include <asyncio/asyncio.h>

#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

/// The server said no.
struct ReplyError : RuntimeError {
    using RuntimeError::RuntimeError;
};

struct Reply : std::variant<None, long, std::string, std::vector<Reply>, ReplyError> {
    using variant::variant;
};

std::string repr(const Reply& reply) {
    return std::visit([](const auto& value) { return asyncio::repr(value); },
                      static_cast<const Reply::variant&>(reply));
}

long number(const std::string& text) {
    long value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) throw ValueError("no number: " + text);
    return value;
}

Coro<Reply> read_reply(StreamReader& reader) {
    std::string line = co_await reader.readuntil("\r\n");
    std::string rest = line.substr(1, line.size() - 3);
    switch (line[0]) {
        case '+':
            co_return rest;
        case '-':
            co_return ReplyError(rest);
        case ':':
            co_return number(rest);
        case '$': {
            if (rest == "-1") co_return None();
            std::string text = co_await reader.readexactly(static_cast<std::size_t>(number(rest)) + 2);
            co_return text.substr(0, text.size() - 2);
        }
        case '*': {
            std::vector<Reply> all;
            for (long left = number(rest); left > 0; --left) {
                Reply each = co_await read_reply(reader);
                all.push_back(std::move(each));
            }
            co_return all;
        }
    }
    throw ValueError("no reply begins with " + repr(line.substr(0, 1)));
}

using Words = std::vector<std::string>;

std::string encode(const Words& words) {
    std::string text = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    return text;
}

class Client {
public:
    Client(std::string host, int port) : host_(host), port_(port) {}

    Coro<> aenter() {
        Streams streams = co_await open_connection(host_, port_);
        reader_ = streams.reader;
        writer_ = streams.writer;
        receiver = create_task(receive(), {.name = "receiver"});
    }
    Coro<> aexit(std::exception_ptr) {
        receiver.cancel();
        co_await wait(receiver);
        writer_.close();
    }
    template <class... Word>
    Future<Reply> call(const Word&... words) {
        return send({std::string(words)...});
    }
    Future<Reply> send(const Words& words) {
        Future<Reply> future = get_running_loop().create_future<Reply>();
        waiting_.push_back(future);
        writer_.write(encode(words));
        return future;
    }
    Task<> receiver;

private:
    Coro<> receive() {
        std::string error;
        try {
            while (true) {
                Reply reply = co_await read_reply(reader_);
                Future<Reply> future = waiting_.front();
                waiting_.pop_front();
                if (future.done()) continue;  // who asked waits no more, but the reply was on its way
                if (auto* no = std::get_if<ReplyError>(&reply)) {
                    future.set_exception(*no);
                } else {
                    future.set_result(reply);
                }
            }
        } catch (const OSError& lost) {
            error = lost.what();
        } catch (const EOFError& end) {
            error = end.what();
        }
        for (Future<Reply>& future : waiting_) {
            if (!future.done()) future.set_exception(ConnectionResetError("no reply: " + error));
        }
    }

    std::string host_;
    int port_;
    StreamReader reader_;
    StreamWriter writer_;
    std::deque<Future<Reply>> waiting_;
};

Coro<bool> answer(const Words& words, std::map<std::string, std::string>& store, StreamWriter& writer) {
    const std::string& name = words[0];
    if (name == "SET" && words.size() == 3) {
        store[words[1]] = words[2];
        writer.write("+OK\r\n");
    } else if (name == "GET" && words.size() == 2) {
        auto found = store.find(words[1]);
        if (found == store.end()) {
            writer.write("$-1\r\n");
        } else {
            writer.write("$" + std::to_string(found->second.size()) + "\r\n" + found->second + "\r\n");
        }
    } else if (name == "INCR" && words.size() == 2) {
        try {
            std::string& value = store.try_emplace(words[1], "0").first->second;
            value = std::to_string(number(value) + 1);
            writer.write(":" + value + "\r\n");
        } catch (const ValueError&) {
            writer.write("-ERR not a number\r\n");
        }
    } else if (name == "KEYS" && words.size() == 1) {
        Words keys;
        for (const auto& [key, value] : store) keys.push_back(key);
        writer.write(encode(keys));
    } else if (name == "WAIT" && words.size() == 2) {
        co_await sleep(std::stod(words[1]));
        writer.write("+OK\r\n");
    } else if (name == "QUIT" && words.size() == 1) {
        co_return false;
    } else {
        writer.write("-ERR unknown command '" + name + "'\r\n");
    }
    co_return true;
}

Coro<> serve(StreamReader reader, StreamWriter writer) {
    std::map<std::string, std::string> store;
    try {
        for (bool goes_on = true; goes_on;) {
            Reply command = co_await read_reply(reader);
            Words words;
            for (const Reply& word : std::get<std::vector<Reply>>(command))
                words.push_back(std::get<std::string>(word));
            goes_on = co_await answer(words, store, writer);
        }
    } catch (const EOFError&) {
    }
    writer.close();
}

void print(const std::string& text) { std::puts(text.c_str()); }

Coro<> talk(Client& redis) {
    Reply reply = co_await redis.call("SET", "greeting", "hello\r\nworld");
    print(std::get<std::string>(reply));
    std::vector<Future<Reply>> asked = {redis.call("GET", "greeting"), redis.call("GET", "nothing")};
    for (int i = 0; i < 3; ++i) asked.push_back(redis.call("INCR", "visits"));
    auto replies = co_await gather(asked);
    print(repr(replies));
    reply = co_await redis.call("KEYS");
    print(repr(reply));
    const std::vector<Words> bad = {{"INCR", "greeting"}, {"SHUTDOWN"}};
    for (const Words& words : bad) {
        try {
            co_await redis.send(words);
        } catch (const ReplyError& error) {
            print("refused: " + str(error));
        }
    }
    bool too_slow = false;
    try {
        co_await wait_for(redis.call("WAIT", "0.1"), 0.01);
    } catch (const TimeoutError&) {
        too_slow = true;
    }
    if (too_slow) {
        reply = co_await redis.call("INCR", "visits");
        print("too slow, but the next reply is for the next command: " + repr(reply));
    }
    asked = {redis.call("QUIT"), redis.call("GET", "visits")};
    auto results = co_await gather(return_exceptions, asked);
    print(repr(results));
    print("receiver is done: " + repr(redis.receiver.done()));
}

Coro<> amain() {
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    co_await with(server, [](Server& serving) -> Coro<> {
        co_await with(Client("127.0.0.1", serving.sockets()[0].getsockname().port()), talk);
    });
}

int main() { return run_main(amain()); }
