#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using Headers = std::vector<std::pair<std::string_view, std::string>>;

std::string_view reason(int status);

/// As HTTP's headers have times.
std::string http_date(std::int64_t seconds);

/// The beginning of an answer, up to the empty line.
std::string response_head(int status, const Headers& headers, bool keep_alive);
