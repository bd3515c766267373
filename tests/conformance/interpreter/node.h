#pragma once

#include <asyncio/core/coroutine.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

class Run;
struct Node;

/// What a statement left to do: nothing, or to return this value from the function.
using Flow = std::optional<int>;
using PlainOperation = void (*)(Run&, const Node&);
using AwaitingOperation = asyncio::Coro<Flow> (*)(Run&, const Node&);

/// A piece of a program: a number, a text or a list. A statement is a list that begins with its operation's name.
struct Node {
    int number = 0;
    std::string text = {};
    std::vector<Node> list = {};
    bool is_list = false;
    PlainOperation plain = nullptr;
    AwaitingOperation awaiting = nullptr;

    const Node& operator[](std::size_t index) const { return list.at(index); }
    std::size_t size() const noexcept { return list.size(); }
};

/// Parses the part of JSON that programs are made of: lists, whole numbers, texts without escapes.
Node parse(std::string_view json);

}  // namespace conformance
