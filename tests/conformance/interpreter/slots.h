#pragma once

#include "node.h"

#include <array>
#include <memory>
#include <utility>

namespace conformance {

/// Thrown when a statement is about a slot in which there is nothing.
struct Empty {};

/// Where a program keeps what it has made.
template <class T, std::size_t size>
class Slots {
public:
    using Ref = std::shared_ptr<T>;

    const Ref& at(const Node& slot) const {
        const Ref& found = all_.at(slot.index());
        if (!found) throw Empty();
        return found;
    }
    bool has(const Node& slot) const { return all_.at(slot.index()) != nullptr; }
    void set(const Node& slot, Ref value) { all_.at(slot.index()) = std::move(value); }
    void set_first(Ref value) { all_[0] = std::move(value); }

private:
    std::array<Ref, size> all_;
};

}  // namespace conformance
