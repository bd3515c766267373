#include "response.h"

#include <ctime>

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
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
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

std::string http_date(std::int64_t seconds) {
    std::time_t time = seconds;
    std::tm parts = {};
    char text[64];
    ::gmtime_r(&time, &parts);
    std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return std::string(text, size);
}

std::string response_head(int status, const Headers& headers, bool keep_alive) {
    std::string all = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason(status)) + "\r\n";
    auto add = [&](std::string_view name, std::string_view value) {
        all.append(name).append(": ").append(value).append("\r\n");
    };
    add("Date", http_date(std::time(nullptr)));
    add("Server", "asyncio-file-server");
    add("X-Content-Type-Options", "nosniff");  // a browser is not to take a text for a page with scripts
    for (const auto& [name, value] : headers) add(name, value);
    add("Connection", keep_alive ? "keep-alive" : "close");
    return all + "\r\n";
}
