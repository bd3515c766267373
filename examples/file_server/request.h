#pragma once

#include <http_parser.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

/// A request, as it was read. Names of headers are in lower case.
struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string, std::less<>> headers;
    bool keep_alive = false;

    const std::string* header(std::string_view name) const {
        auto found = headers.find(name);
        return found == headers.end() ? nullptr : &found->second;
    }
    bool is_head() const { return method == "HEAD"; }
};

/// Takes the bytes of a connection and gives its requests, one after the other, within limits.
///
/// The work is that of Debian's libhttp-parser, the state machine that Node.js was built on: it does no I/O and takes
/// bytes in whatever pieces they come, it knows the tricks by which one request is smuggled inside another, and Debian
/// keeps it safe. (Its heir llhttp is not in Debian 12; Boost.Beast brings an event loop of its own.)
class RequestParser {
public:
    static constexpr std::size_t most_header = 16 * 1024;
    static constexpr std::size_t most_target = 8 * 1024;
    static constexpr std::size_t most_body = 64 * 1024;

    RequestParser();
    RequestParser(const RequestParser&) = delete;

    /// Takes bytes up to the end of a request, and gives how many.
    std::size_t feed(std::string_view data);
    /// A request is complete: take it by `next()`.
    bool is_complete() const { return complete_; }
    /// Some of a request has come, not all.
    bool has_begun() const { return begun_; }
    /// Not zero: the status to refuse the request with. Nothing can be read after it.
    int error() const { return error_; }
    Request next();

private:
    static RequestParser& of(http_parser* parser) { return *static_cast<RequestParser*>(parser->data); }
    static const http_parser_settings& settings();
    int refuse(int status) {
        error_ = status;
        return 1;
    }
    void keep_header();
    int headers_are_complete();

    http_parser parser_;
    Request request_;
    std::string name_;
    std::string value_;
    bool in_value_ = false;
    std::size_t body_size_ = 0;
    bool begun_ = false;
    bool complete_ = false;
    int error_ = 0;
};
