#pragma once

#include <memory>
#include <vector>

namespace conformance {

/// A lock or a queue of a program.
class Thing {
public:
    virtual ~Thing() = default;
};

struct Things {
    std::vector<std::unique_ptr<Thing>> all;
};

}  // namespace conformance
