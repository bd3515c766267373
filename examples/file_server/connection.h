#pragma once

#include "files.h"
#include "request.h"

#include <asyncio/asyncio.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

class Connection;

/// What all connections share.
struct Site {
    std::string root;
    asyncio::Seconds patience = asyncio::Seconds(15);  // for a whole request to come, and for some of an answer to go
    bool stopping = false;
    std::set<Connection*> connections;
};

/// One client: reads its requests and answers them, until either side has enough.
class Connection {
public:
    Connection(Site& site, asyncio::StreamReader reader, asyncio::StreamWriter writer);
    ~Connection() { site_.connections.erase(this); }
    Connection(const Connection&) = delete;

    asyncio::Coro<> serve();
    /// Closes it, unless it is being answered; then it is closed after the answer.
    void stop();

private:
    using Headers = std::vector<std::pair<std::string_view, std::string>>;
    asyncio::Coro<> receive();
    asyncio::Coro<> read_what_is_left();
    asyncio::Coro<> answer(Request request);
    asyncio::Coro<> answer_with_file(const Request& request, const OpenFile& file, std::string_view path);
    asyncio::Coro<> answer_with_text(const Request& request, int status, std::string_view type, std::string text,
                                     Headers headers = {});
    asyncio::Coro<> refuse(const Request& request, int status, Headers headers = {});
    asyncio::Coro<> send_part(const OpenFile& file, std::int64_t first, std::int64_t size);
    asyncio::Coro<> drain();
    std::string head(int status, std::int64_t size, std::string_view type, const Headers& headers);
    void log(const Request& request, int status, std::int64_t size) const;

    Site& site_;
    asyncio::StreamReader reader_;
    asyncio::StreamWriter writer_;
    RequestParser parser_;
    std::string unread_;  // of the next request
    bool answering_ = false;
    bool keep_alive_ = true;
};
