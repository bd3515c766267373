#include "connection.h"

#include "../common/standard_output.h"
#include "listing.h"
#include "range.h"
#include "url.h"

#include <algorithm>
#include <cstdio>

using namespace std::chrono_literals;

namespace {

/// Whether what the client has is still the file's state.
bool is_unchanged(const Request& request, const OpenFile& file) {
    if (const std::string* tags = request.header("if-none-match")) {
        return *tags == "*" || tags->find(file.etag()) != tags->npos;
    }
    const std::string* since = request.header("if-modified-since");
    return since != nullptr && *since == file.modified();
}

/// A client that goes on with a download wants the rest only if it is the rest of the same. A date does not tell that:
/// a file can change twice in a second.
bool may_be_partial(const Request& request, const OpenFile& file) {
    const std::string* condition = request.header("if-range");
    return request.is_get() && (condition == nullptr || *condition == file.etag());
}

std::string next_piece(std::shared_ptr<Listing> listing) { return listing->next_piece(); }

std::string chunk_size(std::string_view data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size;
}

}  // namespace

/// Says what was asked for and how much of the answer went, when it is over, however it ends.
class Connection::LogLine {
public:
    LogLine(Connection& connection, const Request& request) : connection_(connection), request_(request) {
        connection_.status_ = 0;
        connection_.sent_ = 0;
    }
    ~LogLine() {
        if (connection_.status_ == 0) return;
        std::string host = connection_.writer_.get_extra_info("peername").address().host();
        say(host + " \"" + request_.method + " " + request_.target.substr(0, 2000) + "\" " +
            std::to_string(connection_.status_) + " " + std::to_string(connection_.sent_));
    }
    LogLine(const LogLine&) = delete;

private:
    Connection& connection_;
    const Request& request_;
};

Connection::Connection(Site& site, asyncio::StreamReader reader, asyncio::StreamWriter writer)
    : site_(site), reader_(std::move(reader)), writer_(std::move(writer)) {
    writer_.set_write_buffer_limits({.high = 0});  // drain() waits until all is gone
    site_.connections.insert(this);
}

void Connection::stop() {
    if (!answering_) writer_.close();
}

asyncio::Coro<> Connection::serve() {
    try {
        while (!site_.stopping) {
            int refused = 0;
            try {
                co_await asyncio::wait_for(receive(), site_.patience);
                refused = parser_.error();
            } catch (const asyncio::TimeoutError&) {
                refused = 408;
            }
            bool is_silent = refused == 408 && !parser_.has_begun();
            if (is_silent || (refused == 0 && !parser_.is_complete())) break;  // nothing more is wanted
            answering_ = true;
            const Request request = parser_.next();
            LogLine line(*this, request);
            if (refused != 0) {
                keep_alive_ = false;
                co_await refuse(request, refused);
            } else {
                keep_alive_ = request.keep_alive;
                co_await answer(request);
            }
            if (!keep_alive_ || site_.stopping) {
                co_await see_off(refused != 0);
                break;
            }
            answering_ = false;
            co_await asyncio::sleep(0s);  // who sends many requests at once lets others have their turn
        }
    } catch (const asyncio::TimeoutError&) {  // a client that takes nothing
        writer_.abort();
    } catch (const asyncio::OSError&) {  // the connection is lost, or a file cannot be read
        writer_.abort();
    }
    writer_.close();
}

/// Until a request is complete, or cannot be read, or nothing more comes.
asyncio::Coro<> Connection::receive() {
    while (true) {
        unread_.erase(0, parser_.feed(unread_));
        if (parser_.is_complete() || parser_.error() != 0) break;
        unread_ = co_await reader_.read(16 * 1024);
        if (unread_.empty()) break;
    }
}

/// A client that is still sending when all is closed would be told of a reset, and might not see its answer.
///
/// By TLS there is no end of one direction: the good-bye is for both. Only who was refused is listened to before it.
asyncio::Coro<> Connection::see_off(bool may_go_on) {
    const asyncio::Seconds patience = std::min(site_.patience, asyncio::Seconds(2));
    if (writer_.can_write_eof()) {
        writer_.write_eof();
        co_await asyncio::wait_for(read_the_rest(), patience);
    } else if (may_go_on) {
        try {
            co_await asyncio::wait_for(read_the_rest(), patience);
        } catch (const asyncio::TimeoutError&) {  // it waits for us
        }
    }
}

asyncio::Coro<> Connection::read_the_rest() {
    for (std::size_t left = 1'000'000; left > 0;) {
        std::string data = co_await reader_.read(16 * 1024);
        if (data.empty()) break;
        left -= std::min(left, data.size());
    }
}

asyncio::Coro<> Connection::answer(const Request& request) {
    if (!request.is_get() && !request.is_head()) {
        Headers allowed = {{"Allow", "GET, HEAD"}};
        co_await refuse(request, 405, std::move(allowed));
        co_return;
    }
    std::optional<std::string> path = path_of(request.target);
    Found found{400};
    if (path) found = open_below(site_.root.get(), *path);
    if (found.status != 200) {
        co_await refuse(request, found.status);
    } else if (!found.file->is_folder()) {
        co_await answer_with_file(request, found.file, content_type(*path));
    } else if (path->back() != '/') {
        Headers location = {{"Location", percent_encoded(*path) + "/"}};
        co_await refuse(request, 301, std::move(location));
    } else {
        Found index = open_below(site_.root.get(), *path + "index.html");
        if (index.status == 200 && !index.file->is_folder()) {
            co_await answer_with_file(request, index.file, content_type("index.html"));
        } else {
            co_await answer_with_listing(request, found.file, *path);
        }
    }
}

asyncio::Coro<> Connection::answer_with_file(const Request& request, std::shared_ptr<const OpenFile> file,
                                             std::string_view type) {
    Headers headers = {{"Last-Modified", file->modified()}, {"ETag", file->etag()}, {"Accept-Ranges", "bytes"}};
    const RangeAnswer whole{200, 0, file->size()};
    RangeAnswer part = whole;
    const std::string* wanted = request.header("range");
    if (is_unchanged(request, *file)) {
        part.status = 304;
    } else if (wanted != nullptr && may_be_partial(request, *file)) {
        part = range_of(*wanted, file->size());
        if (part.status == 200) part = whole;
    }
    std::string all = std::to_string(file->size());
    if (part.status == 416) {
        headers.emplace_back("Content-Range", "bytes */" + all);
        co_await refuse(request, 416, std::move(headers));
        co_return;
    }
    if (part.status == 206) {
        std::string bytes = std::to_string(part.first) + "-" + std::to_string(part.first + part.size - 1);
        headers.emplace_back("Content-Range", "bytes " + bytes + "/" + all);
    }
    std::string size = std::to_string(part.size);
    if (part.status != 304) {
        headers.emplace_back("Content-Type", type);
        headers.emplace_back("Content-Length", size);
    }
    write_head(part.status, headers);
    if (part.status != 304 && request.is_get()) co_await send_part(file, part.first, part.size);
    co_await drain();
}

asyncio::Coro<> Connection::send_part(std::shared_ptr<const OpenFile> file, std::int64_t first, std::int64_t size) {
    constexpr std::int64_t most = 64 * 1024;
    while (size > 0) {
        auto wanted = static_cast<std::size_t>(std::min(size, most));
        std::optional<std::string> data = file->read_now(first, wanted);
        if (!data) data = co_await asyncio::to_thread(read_file, file, first, wanted);
        if (data->empty()) {  // it has become shorter: only an end without a good-bye can say so now
            writer_.abort();
            co_return;
        }
        first += static_cast<std::int64_t>(data->size());
        size -= static_cast<std::int64_t>(data->size());
        co_await send(*data);
        co_await asyncio::sleep(0s);  // who reads fast lets others have their turn
    }
}

/// It is not known how long it will be: it goes in chunks, or, to HTTP/1.0, until the end of the connection.
asyncio::Coro<> Connection::answer_with_listing(const Request& request, std::shared_ptr<const OpenFile> folder,
                                                const std::string& path) {
    auto listing = std::make_shared<Listing>(*folder, path);
    std::string piece = co_await asyncio::to_thread(next_piece, listing);
    Headers headers = {{"Content-Type", "text/html; charset=utf-8"}};
    if (request.is_1_1) headers.emplace_back("Transfer-Encoding", "chunked");
    if (!request.is_1_1) keep_alive_ = false;
    write_head(200, headers);
    if (request.is_head()) piece.clear();
    while (!piece.empty()) {
        std::string before = request.is_1_1 ? chunk_size(piece) : std::string();
        std::string_view after = request.is_1_1 ? "\r\n" : "";
        co_await send(piece, before, after);
        piece = co_await asyncio::to_thread(next_piece, listing);
    }
    if (request.is_1_1 && request.is_get()) writer_.write("0\r\n\r\n");
    co_await drain();
}

asyncio::Coro<> Connection::refuse(const Request& request, int status, Headers headers) {
    std::string text = std::to_string(status) + " " + std::string(reason(status)) + "\n";
    std::string size = std::to_string(text.size());
    headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    headers.emplace_back("Content-Length", size);
    write_head(status, headers);
    if (!request.is_head()) co_await send(text);
    co_await drain();
}

asyncio::Coro<> Connection::drain() { co_await asyncio::wait_for(writer_.drain(), site_.patience); }

/// What stands around the body's bytes does not count as sent.
asyncio::Coro<> Connection::send(std::string_view body, std::string_view before, std::string_view after) {
    std::string_view parts[] = {before, body, after};
    writer_.writelines(parts);
    try {
        co_await drain();
    } catch (...) {  // a part of it may have gone
        std::size_t left = writer_.get_write_buffer_size();
        left -= std::min(left, after.size());
        sent_ += body.size() - std::min(left, body.size());
        throw;
    }
    sent_ += body.size();
}

void Connection::write_head(int status, const Headers& headers) {
    // Where there is little room, nobody keeps a place without using it.
    if (site_.stopping || site_.connections.size() > site_.most_connections / 2) keep_alive_ = false;
    writer_.write(response_head(status, headers, keep_alive_));
    status_ = status;
}
