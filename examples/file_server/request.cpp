#include "request.h"

#include "url.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool are_all(std::string_view text, std::string_view marks) {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_alphanumeric(c) || marks.find(c) != marks.npos; });
}

bool is_token(std::string_view text) { return !text.empty() && are_all(text, "!#$%&'*+-.^_`|~"); }

/// A host, and perhaps a port. It may be empty, says RFC 9110.
bool is_host(std::string_view text) { return are_all(text, "-._~!$&'()*+,;=:%[]"); }

/// Printable, and nothing that a target must not have or that would blur the log.
bool is_target(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7f' && c != '#' && c != '"' && c != '<' && c != '>';
    });
}

std::string in_lower_case(std::string_view text) {
    std::string all(text);
    for (char& c : all) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return all;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// Whether a header that is a list, `close, TE`, has the word.
bool has_word(std::string_view list, std::string_view word) {
    while (true) {
        std::size_t comma = std::min(list.find(','), list.size());
        if (in_lower_case(trimmed(list.substr(0, comma))) == word) return true;
        if (comma == list.size()) return false;
        list.remove_prefix(comma + 1);
    }
}

constexpr std::string_view methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"};

}  // namespace

std::size_t RequestParser::feed(std::string_view data) {
    std::size_t taken = 0;
    while (taken < data.size() && !complete_ && error_ == 0) {
        if (body_left_ == 0) {
            take(data[taken++]);
        } else {
            std::size_t size = std::min(body_left_, data.size() - taken);
            taken += size;
            body_left_ -= size;
            complete_ = body_left_ == 0;
        }
    }
    return taken;
}

/// A byte of the head. A line ends with both, carriage return and line feed, and neither is anywhere else.
void RequestParser::take(char c) {
    bool is_text = c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    bool after_return = !line_.empty() && line_.back() == '\r';
    if (++head_size_ > most_head) return refuse(request_.method.empty() ? 414 : 431);
    if (after_return && c == '\n') {
        line_.pop_back();
        take_line();
        line_.clear();
    } else if (!after_return && (is_text || c == '\r')) {
        line_ += c;
    } else {
        refuse(400);
    }
}

void RequestParser::take_line() {
    if (!request_.method.empty()) {
        if (line_.empty()) return head_is_complete();
        return take_header(line_);
    }
    if (!line_.empty()) take_request_line(line_);  // empty lines before a request are nothing: RFC 9112, 2.2
}

void RequestParser::take_request_line(std::string_view line) {
    std::size_t first = line.find(' ');
    std::size_t last = line.rfind(' ');
    if (first == last) return refuse(400);
    std::string_view method = line.substr(0, first);
    std::string_view target = line.substr(first + 1, last - first - 1);
    std::string_view version = line.substr(last + 1);
    if (!is_token(method) || !is_target(target) || version.substr(0, 5) != "HTTP/") return refuse(400);
    if (target.size() > most_target) return refuse(414);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505);
    if (std::find(std::begin(methods), std::end(methods), method) == std::end(methods)) return refuse(501);
    bool has_path = target.front() == '/' || !scheme_and_host(target).empty();
    if (!has_path && method != "OPTIONS" && method != "CONNECT") return refuse(400);
    request_.method = method;
    request_.target = target;
    request_.is_1_1 = version == "HTTP/1.1";
}

void RequestParser::take_header(std::string_view line) {
    if (++headers_ > most_headers) return refuse(431);
    std::size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) return refuse(400);
    std::string name = in_lower_case(line.substr(0, colon));
    std::string value(trimmed(line.substr(colon + 1)));
    auto [kept, is_new] = request_.headers.try_emplace(name, value);
    if (is_new) return;
    if (name == "host" || name == "content-length" || name == "transfer-encoding") return refuse(400);
    kept->second += ", " + value;
}

void RequestParser::head_is_complete() {
    const std::string* host = request_.header("host");
    if (host == nullptr ? request_.is_1_1 : !is_host(*host)) return refuse(400);
    std::string_view url = scheme_and_host(request_.target);
    if (!url.empty() && (host == nullptr || in_lower_case(url) != "http://" + in_lower_case(*host))) return refuse(400);
    const std::string* connection = request_.header("connection");
    std::string_view words = connection != nullptr ? *connection : std::string_view();
    request_.keep_alive = !has_word(words, "close") && (request_.is_1_1 || has_word(words, "keep-alive"));
    find_out_about_the_body();
}

void RequestParser::find_out_about_the_body() {
    const std::string* coding = request_.header("transfer-encoding");
    const std::string* length = request_.header("content-length");
    bool wants_none = request_.is_get() || request_.is_head();
    if (coding != nullptr) {
        if (length != nullptr || !request_.is_1_1 || wants_none) return refuse(400);
        return refuse(in_lower_case(*coding) == "chunked" ? 411 : 501);
    }
    if (length != nullptr) {
        const char* end = length->data() + length->size();
        bool is_number = !length->empty() && length->find_first_not_of("0123456789") == length->npos;
        auto [stopped, error] = std::from_chars(length->data(), end, body_left_);
        if (!is_number || error == std::errc::invalid_argument) return refuse(400);
        if (error == std::errc::result_out_of_range || body_left_ > most_body) return refuse(413);
        if (wants_none && body_left_ > 0) return refuse(400);
    }
    if (request_.header("expect") != nullptr) return refuse(417);  // it may wait for a word before it sends the body
    complete_ = body_left_ == 0;
}

Request RequestParser::next() {
    complete_ = false;
    head_size_ = headers_ = 0;
    return std::exchange(request_, {});
}
