#include "node.h"

#include "operations.h"

#include <cctype>
#include <stdexcept>

namespace conformance {

namespace {

class Parser {
public:
    explicit Parser(std::string_view json) : rest_(json) {}

    Node node() {
        Node result;
        char first = next();
        if (first == '[') {
            result.is_list = true;
            while (peek() != ']') {
                result.list.push_back(node());
                if (peek() == ',') next();
            }
            next();
            if (!result.list.empty()) result.operation = find_operation(result.list.front().text);
        } else if (first == '"') {
            while (rest_.at(0) != '"') result.text += take();
            take();
        } else {
            bool negative = first == '-';
            if (!negative) result.number = first - '0';
            while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_[0]))) {
                result.number = result.number * 10 + (take() - '0');
            }
            if (negative) result.number = -result.number;
        }
        return result;
    }

private:
    char take() {
        if (rest_.empty()) throw std::runtime_error("the program ends too early");
        char first = rest_[0];
        rest_.remove_prefix(1);
        return first;
    }
    char peek() {
        while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
        return rest_.empty() ? '\0' : rest_[0];
    }
    char next() {
        peek();
        return take();
    }
    std::string_view rest_;
};

}  // namespace

Node parse(std::string_view json) { return Parser(json).node(); }

}  // namespace conformance
