// Gets a page by HTTP or HTTPS, and prints it.
//
//     get_page [--cafile FILE] URL      with the authorities of FILE in the place of those that the system trusts
//
// It fails if the page is another than it should be: if the server is not who it should be, has no such page, or ends
// before the page does.
#include "common/serving.h"
#include "common/standard_output.h"
#include "common/tls.h"

#include <asyncio/asyncio.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

using namespace std::chrono_literals;

struct Url {
    bool is_https = false;
    std::string host, port, target;
};

std::optional<Url> parse(std::string text) {
    Url url;
    url.is_https = text.starts_with("https://");
    if (!url.is_https && !text.starts_with("http://")) return std::nullopt;
    text.erase(0, url.is_https ? 8 : 7);
    std::size_t slash = std::min(text.find_first_of("/?#"), text.size());
    std::string place = text.substr(0, slash);
    url.target = text.substr(slash, text.find('#', slash) - slash);
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    std::size_t bracket = place.starts_with('[') ? place.find(']') : 0;  // [::1]:8000
    if (bracket == place.npos) return std::nullopt;
    std::size_t colon = std::min(place.find(':', bracket), place.size());
    url.host = bracket > 0 ? place.substr(1, bracket - 1) : place.substr(0, colon);
    url.port = colon + 1 < place.size() ? place.substr(colon + 1) : url.is_https ? "443" : "80";
    std::string sent = url.host + url.target;
    bool is_harmless = harmless(sent) == sent && sent.find(' ') == sent.npos;
    return is_harmless && !url.host.empty() ? std::optional(url) : std::nullopt;
}

/// What the server says is the value of `name`, or nothing.
std::string header(const std::string& head, const std::string& name) {
    for (std::size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n", line + 2)) {
        std::size_t colon = head.find(':', line);
        if (colon == head.npos) break;
        std::string said = head.substr(line + 2, colon - line - 2);
        for (char& each : said) each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
        if (said == name) return head.substr(colon + 1, head.find("\r\n", colon) - colon - 1);
    }
    return {};
}

asyncio::Coro<> get(const Tls& tls, const Url& url) {
    asyncio::OpenConnectionOptions options;
    if (url.is_https) options.ssl = tls.option();
    auto [reader, writer] = co_await asyncio::open_connection(url.host, url.port, options);
    writer.write("GET " + url.target + " HTTP/1.0\r\nHost: " + url.host + "\r\nConnection: close\r\n\r\n");
    std::string head = co_await reader.readuntil("\r\n\r\n");
    bool is_well = head.find(" 200 ") < head.find("\r\n");
    // Who says how long the page is need not end it well; of others, one that was cut off would look complete. By TLS
    // the end says whether it is one.
    std::string length = header(head, "content-length");
    unsigned long long left = length.empty() ? ~0ULL : std::strtoull(length.c_str(), nullptr, 10);
    while (left > 0) {
        std::string part = co_await reader.read(static_cast<std::ptrdiff_t>(std::min(left, 65'536ULL)));
        if (part.empty()) break;
        std::fwrite(part.data(), 1, part.size(), stdout);
        left -= part.size();
    }
    writer.close();
    if (!is_well) throw asyncio::OSError(harmless(head.substr(0, head.find("\r\n"))));
    if (left > 0 && !length.empty()) throw asyncio::OSError("the end of the page is missing");
}

asyncio::Coro<> get_in_a_minute(const Tls& tls, const Url& url) {
    try {
        co_await asyncio::wait_for(get(tls, url), 60s);
    } catch (const asyncio::TimeoutError&) {
        throw asyncio::TimeoutError("it takes longer than a minute");
    }
}

int main(int argc, char** argv) {
    keep_standard_descriptors();
    auto cafile = take_option(argc, argv, "--cafile");
    std::optional<Url> url = argc == 2 ? parse(argv[1]) : std::nullopt;
    if (!url) {
        std::fputs("usage: get_page [--cafile FILE] URL\n", stderr);
        return 2;
    }
    Tls tls;
    try {
        if (url->is_https) tls.trust(cafile.value_or(""));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    }
    return run_and_report(get_in_a_minute(tls, *url));
}
