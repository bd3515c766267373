#include "connection.h"

#include "range.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace {

std::string_view reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 416:
            return "Range Not Satisfiable";
        case 431:
            return "Request Header Fields Too Large";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 505:
            return "HTTP Version Not Supported";
    }
    return "Error";
}

/// Whether what the client has is still the file's state.
bool is_unchanged(const Request& request, const OpenFile& file) {
    if (const std::string* tags = request.header("if-none-match")) {
        return *tags == "*" || tags->find(file.etag()) != tags->npos;
    }
    const std::string* since = request.header("if-modified-since");
    return since != nullptr && *since == file.modified();
}

/// A client that goes on with a download wants the rest only if it is the rest of the same.
bool may_be_partial(const Request& request, const OpenFile& file) {
    const std::string* condition = request.header("if-range");
    return condition == nullptr || *condition == file.etag() || *condition == file.modified();
}

}  // namespace

Connection::Connection(Site& site, asyncio::StreamReader reader, asyncio::StreamWriter writer)
    : site_(site), reader_(std::move(reader)), writer_(std::move(writer)) {
    site_.connections.insert(this);
}

void Connection::stop() {
    if (!answering_) writer_.close();
}

asyncio::Coro<> Connection::serve() {
    try {
        while (keep_alive_ && !site_.stopping) {
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
            Request request = parser_.next();
            if (refused != 0) {
                keep_alive_ = false;
                co_await refuse(request, refused);
                co_await asyncio::wait_for(read_what_is_left(), site_.patience);
            } else {
                keep_alive_ = request.keep_alive;
                co_await answer(std::move(request));
            }
            answering_ = false;
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

/// A client that is still sending would be told of a reset, and not see its answer.
asyncio::Coro<> Connection::read_what_is_left() {
    writer_.write_eof();
    for (std::size_t left = 1'000'000; left > 0;) {
        std::string data = co_await reader_.read(16 * 1024);
        if (data.empty()) break;
        left -= std::min(left, data.size());
    }
}

asyncio::Coro<> Connection::answer(Request request) {
    if (request.method != "GET" && !request.is_head()) {
        Headers allowed = {{"Allow", "GET, HEAD"}};
        co_await refuse(request, 405, std::move(allowed));
        co_return;
    }
    std::optional<std::string> path = path_of(request.target);
    Found found;
    found.status = 400;
    if (path) found = open_below(site_.root, *path);
    if (found.status != 200) {
        co_await refuse(request, found.status);
    } else if (!found.file.is_folder()) {
        co_await answer_with_file(request, found.file, *path);
    } else if (path->back() != '/') {
        std::string target = request.target.substr(0, request.target.find('?'));
        Headers location = {{"Location", target + "/"}};
        co_await refuse(request, 301, std::move(location));
    } else {
        Found index = open_below(site_.root, *path + "index.html");
        if (index.status == 200 && !index.file.is_folder()) {
            co_await answer_with_file(request, index.file, "index.html");
        } else {
            std::string page = co_await asyncio::to_thread(list_folder, found.file.fd(), *path);
            co_await answer_with_text(request, 200, "text/html; charset=utf-8", std::move(page));
        }
    }
}

asyncio::Coro<> Connection::answer_with_file(const Request& request, const OpenFile& file, std::string_view path) {
    Headers headers = {{"Last-Modified", file.modified()}, {"ETag", file.etag()}, {"Accept-Ranges", "bytes"}};
    int status = 200;
    std::int64_t first = 0;
    std::int64_t size = file.size();
    const std::string* wanted = request.header("range");
    if (is_unchanged(request, file)) {
        status = 304;
    } else if (wanted != nullptr && may_be_partial(request, file)) {
        RangeAnswer part = range_of(*wanted, size);
        status = part.status;
        if (status == 416) {
            headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
            co_await refuse(request, 416, std::move(headers));
            co_return;
        }
        if (status == 206) {
            headers.emplace_back("Content-Range", "bytes " + std::to_string(part.first) + "-" +
                                                      std::to_string(part.first + part.size - 1) + "/" +
                                                      std::to_string(size));
            first = part.first;
            size = part.size;
        }
    }
    writer_.write(head(status, status == 304 ? -1 : size, content_type(path), headers));
    bool has_body = status != 304 && !request.is_head();
    log(request, status, has_body ? size : 0);
    if (has_body) co_await send_part(file, first, size);
    co_await drain();
}

asyncio::Coro<> Connection::send_part(const OpenFile& file, std::int64_t first, std::int64_t size) {
    constexpr std::int64_t most = 128 * 1024;
    while (size > 0) {
        auto wanted = static_cast<std::size_t>(std::min(size, most));
        std::optional<std::string> data = file.read_now(first, wanted);
        if (!data) data = co_await asyncio::to_thread(read_file, file.fd(), first, wanted);
        if (data->empty()) {  // it has become shorter: only an end without a good-bye can say so now
            writer_.abort();
            co_return;
        }
        writer_.write(*data);
        first += static_cast<std::int64_t>(data->size());
        size -= static_cast<std::int64_t>(data->size());
        co_await drain();
    }
}

asyncio::Coro<> Connection::drain() { co_await asyncio::wait_for(writer_.drain(), site_.patience); }

asyncio::Coro<> Connection::refuse(const Request& request, int status, Headers headers) {
    std::string text = std::to_string(status) + " " + std::string(reason(status)) + "\n";
    co_await answer_with_text(request, status, "text/plain; charset=utf-8", std::move(text), std::move(headers));
}

asyncio::Coro<> Connection::answer_with_text(const Request& request, int status, std::string_view type,
                                             std::string text, Headers headers) {
    log(request, status, static_cast<std::int64_t>(text.size()));
    std::string all = head(status, static_cast<std::int64_t>(text.size()), type, headers);
    writer_.write(request.is_head() ? all : all + text);
    co_await drain();
}

std::string Connection::head(int status, std::int64_t size, std::string_view type, const Headers& headers) {
    if (site_.stopping) keep_alive_ = false;
    std::string all = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason(status)) + "\r\n";
    auto add = [&](std::string_view name, std::string_view value) {
        all.append(name).append(": ").append(value).append("\r\n");
    };
    add("Date", http_date(std::time(nullptr)));
    add("Server", "asyncio-file-server");
    if (size >= 0) {
        add("Content-Type", type);
        add("Content-Length", std::to_string(size));
    }
    for (const auto& [name, value] : headers) add(name, value);
    add("Connection", keep_alive_ ? "keep-alive" : "close");
    return all + "\r\n";
}

void Connection::log(const Request& request, int status, std::int64_t size) const {
    std::printf("%s \"%s %s\" %d %lld\n", writer_.get_extra_info("peername").address().host().c_str(),
                request.method.c_str(), request.target.c_str(), status, static_cast<long long>(size));
}
