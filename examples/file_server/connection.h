#pragma once

#include "files.h"
#include "request.h"
#include "response.h"

#include <asyncio/asyncio.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

class Connection;

/// What all connections share.
struct Site {
    Descriptor root;
    /// For a whole request to come, and for each piece of 64 KiB or so of an answer to go.
    asyncio::Seconds patience = asyncio::Seconds(15);
    std::size_t most_connections = 1000;
    int backlog = 1000;
    bool stopping = false;
    std::set<Connection*> connections;
};

/// One client: reads its requests and answers them, until either side has enough.
///
/// Whatever it asks for, and however slowly it reads, it costs the memory of one piece of an answer: nothing is written
/// before all that was written is gone.
class Connection {
public:
    Connection(Site& site, asyncio::StreamReader reader, asyncio::StreamWriter writer);
    ~Connection() { site_.connections.erase(this); }
    Connection(const Connection&) = delete;

    asyncio::Coro<> serve();
    /// Closes it, unless it is being answered; then it is closed after the answer.
    void stop();

private:
    asyncio::Coro<> receive();
    asyncio::Coro<> see_off(bool may_go_on);
    asyncio::Coro<> read_the_rest();
    class LogLine;
    asyncio::Coro<> answer(const Request& request);
    asyncio::Coro<> answer_with_file(const Request& request, std::shared_ptr<const OpenFile> file,
                                     std::string_view type);
    asyncio::Coro<> answer_with_listing(const Request& request, std::shared_ptr<const OpenFile> folder,
                                        const std::string& path);
    asyncio::Coro<> refuse(const Request& request, int status, Headers headers = {});
    asyncio::Coro<> send_part(std::shared_ptr<const OpenFile> file, std::int64_t first, std::int64_t size);
    asyncio::Coro<> drain();
    asyncio::Coro<> send(std::string_view body, std::string_view before = {}, std::string_view after = {});
    void write_head(int status, const Headers& headers);

    Site& site_;
    asyncio::StreamReader reader_;
    asyncio::StreamWriter writer_;
    RequestParser parser_;
    std::string unread_;      // of the next request
    int status_ = 0;          // of the answer
    std::uint64_t sent_ = 0;  // of its body
    bool answering_ = false;
    bool keep_alive_ = true;
};
