#pragma once

#include <regex>
#include <source_location>
#include <string>
#include <string_view>

namespace support {

/// A text of the library without what varies: addresses, directories, the numbers of this file's lines, and the lines
/// of the library's own frames in a traceback, which Python has, too, with their sources.
inline std::string plain(std::string text, std::source_location here = std::source_location::current()) {
    std::string file(here.file_name());
    file = file.substr(file.rfind('/') + 1);
    text = std::regex_replace(text, std::regex(" *(\\| )? *File \"[^\"]*include/asyncio[^\n]*\n[^\n]*\n"), "");
    text = std::regex_replace(text, std::regex("File \"[^\"]*/" + file + "\", line [0-9]+"), "File");
    text = std::regex_replace(text, std::regex("[^ ]*/" + file + ":[0-9]+"), "HERE");
    return std::regex_replace(text, std::regex(" at 0x[0-9a-f]+"), "");
}

}  // namespace support
