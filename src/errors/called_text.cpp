#include "errors/called_text.h"

#include "detail/symbols.h"
#include "errors/demangled.h"
#include "errors/function_name.h"

#include <asyncio/errors/repr.h>

namespace asyncio::detail {

std::string text_of_called(const Called& called) {
    std::string symbol = called.code != 0 ? symbol_at(called.code) : std::string();
    if (symbol.empty()) return type_text(called.type);
    std::string name = function_name(demangled(symbol.c_str()));
    return name.starts_with("asyncio::") ? name.substr(9) : name;
}

}  // namespace asyncio::detail
