#include "errors/demangled.h"

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace asyncio::detail {
namespace {

void erase_all(std::string& text, std::string_view what) {
    for (std::size_t at; (at = text.find(what)) != std::string::npos;) text.erase(at, what.size());
}

/// To g++ a type in the coroutine `f(int)` is one in the function `f(f(int)::_Z1fi.Frame*)`: that is `f(int)`. False if
/// there is none.
bool replace_function_of_frame(std::string& name) {
    constexpr std::string_view end_of_frame = ".Frame*)";
    std::size_t end = name.find(end_of_frame);
    if (end == std::string::npos) return false;
    std::size_t frame = name.rfind("::_Z", end);
    std::size_t begin = frame;
    for (int depth = 1; depth != 0 && begin != std::string::npos && begin > 0;) {
        char c = name[--begin];
        if (c == ')') ++depth;
        if (c == '(') --depth;
    }
    if (frame == std::string::npos || name[begin] != '(') return false;
    std::string function = name.substr(begin + 1, frame - begin - 1);
    for (std::size_t first = 0; first < begin; ++first) {
        if (!function.starts_with(std::string_view(name).substr(first, begin - first))) continue;
        name.replace(first, end + end_of_frame.size() - first, function);
        return true;
    }
    return false;
}

}  // namespace

std::string demangled(const char* mangled) {
    std::string text = mangled;
    erase_all(text, ".actor");  // no demangler knows it
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status),
                                                &std::free);
    if (name == nullptr) return mangled;
    text = name.get();
    erase_all(text, "[abi:cxx11]");  // says nothing to a reader
    while (replace_function_of_frame(text)) {
    }
    return text;
}

}  // namespace asyncio::detail
