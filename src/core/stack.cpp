#include <asyncio/core/stack.h>

#include "core/task_loop.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>

namespace asyncio {
namespace detail {

namespace {

/// Where the bracket is that closes the one at `open`.
std::size_t closing_bracket(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')' && --depth == 0) return i;
    }
    return open;
}

/// Lambdas, and the functions around them, lose their parameters: `A::f(int) const::<lambda(int)>` is `A::f::<lambda>`.
std::string without_outer_parameters(std::string_view signature) {
    std::string text(signature);
    for (std::size_t at; (at = text.find("<lambda(")) != std::string::npos;) {
        std::size_t open = at + 7;
        text.erase(open, closing_bracket(text, open) + 1 - open);
    }
    for (std::string_view qualifiers : {" const", " const &", " const &&", " &", " &&"}) {
        std::string tail = ")" + std::string(qualifiers) + "::";
        for (std::size_t at; (at = text.find(tail)) != std::string::npos;) text.erase(at + 1, qualifiers.size());
    }
    for (std::size_t from = 0, end; (end = text.find(")::", from)) != std::string::npos;) {
        std::size_t begin = end;
        for (int depth = 1; depth > 0 && begin > 0;) {
            --begin;
            if (text[begin] == ')') ++depth;
            if (text[begin] == '(') --depth;
        }
        std::string_view inside = std::string_view(text).substr(begin, end - begin + 1);
        bool is_name = inside == "(anonymous class)" || inside == "(anonymous namespace)";
        if (is_name) {
            from = end + 1;
        } else {
            text.erase(begin, inside.size());
            from = begin;
        }
    }
    return text;
}

/// `asyncio::Coro<int> ns::f(int) [with T = int]` is shown as `ns::f`.
std::string function_name(std::string_view whole_signature) {
    whole_signature = whole_signature.substr(0, whole_signature.find(" [with "));
    if (whole_signature.ends_with(']')) whole_signature = whole_signature.substr(0, whole_signature.rfind(" ["));
    std::string without_parameters = without_outer_parameters(whole_signature);
    std::string_view signature = without_parameters;
    // The parameter list that ends the signature, then the name before it: brackets nest.
    std::size_t end = signature.size();
    std::size_t tail = signature.rfind(')');
    if (tail != std::string_view::npos && !signature.ends_with('>')) {
        int depth = 0;
        for (std::size_t i = tail + 1; i-- > 0;) {
            if (signature[i] == ')') ++depth;
            if (signature[i] == '(' && --depth == 0) {
                end = i;
                break;
            }
        }
    }
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = end; i-- > 0;) {
        char c = signature[i];
        if (c == '>' || c == ')' || c == '}') ++depth;
        if (c == '<' || c == '(' || c == '{') --depth;
        if (c == ' ' && depth == 0) {
            begin = i + 1;
            break;
        }
    }
    std::string name(signature.substr(begin, end - begin));
    for (std::size_t at; (at = name.find("(anonymous class)")) != std::string::npos;) name.replace(at, 17, "<lambda>");
    for (std::size_t at; (at = name.find("(anonymous namespace)::")) != std::string::npos;) name.erase(at, 23);
    for (std::size_t at; (at = name.find("{anonymous}::")) != std::string::npos;) name.erase(at, 13);
    for (std::size_t at; (at = name.find("::operator()")) != std::string::npos;) name.erase(at, 12);
    return name;
}

}  // namespace

StackEntry stack_entry(const FramePlace& place) {
    return {function_name(place.function.function_name()), place.await_at.file_name(),
            static_cast<int>(place.await_at.line())};
}

void print_stack(const TaskBase& task, std::optional<int> limit, std::FILE* file) {
    std::vector<StackEntry> stack = task.stack(limit);
    std::string name = repr(AnyTask(Ref<FutureBase>(const_cast<TaskBase*>(&task))));
    const std::exception_ptr& error = task.peek_exception();
    bool failed = error && !task.cancelled();
    std::string text = (stack.empty() ? "No stack for " + name
                        : failed      ? "Traceback for " + name + " (most recent call last):"
                                      : "Stack for " + name + " (most recent call last):") +
                       "\n" + format_stack(stack);
    if (failed) {
        std::string said = str(error);
        text += type_name(error) + (said.empty() ? "" : ": " + said) + "\n";
    }
    std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace detail

std::string format_stack(const std::vector<StackEntry>& stack) {
    std::string text;
    for (const StackEntry& entry : stack) {
        text += "  File \"" + entry.file + "\", line " + std::to_string(entry.line) + ", in " + entry.function + "\n";
        std::ifstream source(entry.file);
        std::string line;
        for (int i = 0; i < entry.line && source; ++i) std::getline(source, line);
        std::size_t first = source ? line.find_first_not_of(" \t") : std::string::npos;
        if (first != std::string::npos) text += "    " + line.substr(first) + "\n";
    }
    return text;
}

}  // namespace asyncio
