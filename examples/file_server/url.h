#pragma once

#include <optional>
#include <string>
#include <string_view>

/// `http://host` of a target that is a whole URL, as proxies are sent; nothing of one that is a mere path.
std::string_view scheme_and_host(std::string_view target);

/// The path of a request's target, decoded, which begins with one slash; nothing if it has none, or a bad one. More
/// slashes at the beginning count as one: a browser that is sent on to `//sub/` would take `sub` for a host.
std::optional<std::string> path_of(std::string_view target);

/// Everything that could mean something in a link does not, but slashes do.
std::string percent_encoded(std::string_view text);

/// Everything that means something in HTML does not.
std::string html_escaped(std::string_view text);
