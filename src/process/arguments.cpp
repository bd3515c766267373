#include <asyncio/process/arguments.h>

#include <asyncio/errors/exceptions.h>

namespace asyncio {

void Arguments::add_text(std::string_view word) {
    if (word.find('\0') != std::string_view::npos) throw ValueError("embedded null byte");
    text_.append(word);
    text_.push_back('\0');
    ++count_;
}

}  // namespace asyncio
