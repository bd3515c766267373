#pragma once

#include <asyncio/core/coroutine.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

class Run;
class Walk;
struct Node;

/// What a statement left to do: nothing, or to return this value from the function.
using Flow = std::optional<int>;

using PlainOperation = void (*)(Run&, const Node&);
using AwaitingOperation = asyncio::Coro<Flow> (*)(Run&, const Node&);
using WalkingOperation = asyncio::Coro<> (*)(Run&, Walk&, const Node&);
using EnteringOperation = void (*)(Walk&, const Node&);

/// What a statement does: one of these, by its name.
struct Operation {
    PlainOperation plain = nullptr;        // never waits
    AwaitingOperation awaiting = nullptr;  // is awaited
    WalkingOperation walking = nullptr;    // is awaited, and enters a block
    EnteringOperation entering = nullptr;  // enters a block at once
};

/// A piece of a program: a number, a text or a list. A statement is a list that begins with its operation's name.
struct Node {
    int number = 0;
    std::string text = {};
    std::vector<Node> list = {};
    bool is_list = false;
    const Operation* operation = nullptr;

    const Node& operator[](std::size_t index) const { return list.at(index); }
    std::size_t size() const noexcept { return list.size(); }
    std::size_t index() const noexcept { return static_cast<std::size_t>(number); }
};

/// Parses the part of JSON that programs are made of: lists, whole numbers, texts without escapes.
Node parse(std::string_view json);

}  // namespace conformance
