#include "request.h"

#include <utility>

RequestParser::RequestParser() {
    http_parser_set_max_header_size(most_header);
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
}

const http_parser_settings& RequestParser::settings() {
    static const http_parser_settings all = [] {
        http_parser_settings made;
        http_parser_settings_init(&made);
        made.on_message_begin = [](http_parser* parser) {
            of(parser).begun_ = true;
            return 0;
        };
        made.on_url = [](http_parser* parser, const char* data, std::size_t size) {
            RequestParser& self = of(parser);
            self.request_.target.append(data, size);
            return self.request_.target.size() > most_target ? self.refuse(414) : 0;
        };
        made.on_header_field = [](http_parser* parser, const char* data, std::size_t size) {
            RequestParser& self = of(parser);
            if (std::exchange(self.in_value_, false)) self.keep_header();
            for (char c : std::string_view(data, size)) {
                self.name_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            }
            return 0;
        };
        made.on_header_value = [](http_parser* parser, const char* data, std::size_t size) {
            of(parser).in_value_ = true;
            of(parser).value_.append(data, size);
            return 0;
        };
        made.on_headers_complete = [](http_parser* parser) { return of(parser).headers_are_complete(); };
        made.on_body = [](http_parser* parser, const char*, std::size_t size) {  // nobody wants it
            RequestParser& self = of(parser);
            self.body_size_ += size;
            return self.body_size_ > most_body ? self.refuse(413) : 0;
        };
        made.on_message_complete = [](http_parser* parser) {
            of(parser).complete_ = true;
            http_parser_pause(parser, 1);
            return 0;
        };
        return made;
    }();
    return all;
}

void RequestParser::keep_header() {
    std::string& kept = request_.headers[std::exchange(name_, {})];
    kept += (kept.empty() ? "" : ", ") + std::exchange(value_, {});
}

int RequestParser::headers_are_complete() {
    if (!name_.empty()) keep_header();
    in_value_ = false;
    request_.method = http_method_str(static_cast<http_method>(parser_.method));
    request_.keep_alive = http_should_keep_alive(&parser_) != 0;
    bool is_1_1 = parser_.http_major == 1 && parser_.http_minor == 1;
    if (parser_.http_major != 1) return refuse(505);
    if (is_1_1 && request_.header("host") == nullptr) return refuse(400);
    bool has_length = (parser_.flags & F_CONTENTLENGTH) != 0;
    if (has_length && parser_.content_length > most_body) return refuse(413);
    return 0;
}

std::size_t RequestParser::feed(std::string_view data) {
    if (data.empty()) return 0;  // to the parser that would be the end
    std::size_t taken = http_parser_execute(&parser_, &settings(), data.data(), data.size());
    http_errno error = HTTP_PARSER_ERRNO(&parser_);
    if (error == HPE_PAUSED) {
        http_parser_pause(&parser_, 0);
    } else if (error != HPE_OK && error_ == 0) {
        error_ = error == HPE_HEADER_OVERFLOW ? 431 : error == HPE_INVALID_METHOD ? 501 : 400;
    }
    return taken;
}

Request RequestParser::next() {
    complete_ = begun_ = false;
    body_size_ = 0;
    return std::exchange(request_, {});
}
