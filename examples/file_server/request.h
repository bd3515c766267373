#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

/// A request, as it was read. Names of headers are in lower case.
struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string, std::less<>> headers;
    bool is_1_1 = false;  // else it is HTTP/1.0
    bool keep_alive = false;

    const std::string* header(std::string_view name) const {
        auto found = headers.find(name);
        return found == headers.end() ? nullptr : &found->second;
    }
    bool is_get() const { return method == "GET"; }
    bool is_head() const { return method == "HEAD"; }
};

/// Takes the bytes of a connection, in whatever pieces they come, and gives its requests, one after the other.
///
/// It is as strict as RFC 9112 allows. Where two programs on the way of a request, a proxy and a server, disagree about
/// where it ends, one request can be smuggled inside another. So whatever can be read in two ways is refused, and the
/// connection is over: a space before the colon, a header that goes on in a second line, a line that ends without its
/// carriage return, two hosts or two lengths, a length beside a transfer coding, a body where none is wanted.
///
/// (Why no library: Debian has http_parser, which is abandoned and lets some of this pass; its heir llhttp is not in
/// Debian 12, and Boost.Beast brings an event loop of its own. A server that takes no bodies needs little.)
class RequestParser {
public:
    static constexpr std::size_t most_head = 16 * 1024;
    static constexpr std::size_t most_target = 8 * 1024;
    static constexpr std::size_t most_headers = 100;
    static constexpr std::size_t most_body = 64 * 1024;

    /// Takes bytes up to the end of a request, and gives how many.
    std::size_t feed(std::string_view data);
    /// A request is complete: take it by `next()`.
    bool is_complete() const { return complete_; }
    /// Some of a request has come, not all.
    bool has_begun() const { return !line_.empty() || !request_.method.empty(); }
    /// Not zero: the status to refuse the request with. Nothing can be read after it.
    int error() const { return error_; }
    Request next();

private:
    void refuse(int status) { error_ = status; }
    void take(char c);
    void take_line();
    void take_request_line(std::string_view line);
    void take_header(std::string_view line);
    void head_is_complete();
    void find_out_about_the_body();

    Request request_;
    std::string line_;  // the one that is coming
    std::size_t head_size_ = 0;
    std::size_t headers_ = 0;
    std::size_t body_left_ = 0;  // nobody wants it
    bool complete_ = false;
    int error_ = 0;
};
