#include "operations.h"

#include <unordered_map>

namespace conformance {

namespace {

std::unordered_map<std::string_view, Operation> all_operations() {
    std::unordered_map<std::string_view, Operation> all;
    for (const Operations& some : {flow_operations(), walk_operations(), task_operations(), future_operations(),
                                   callback_operations(), combine_operations(), completed_operations(),
                                   block_operations(), lock_operations(), queue_operations(), generator_operations()}) {
        for (const auto& [name, operation] : some) all.emplace(name, operation);
    }
    return all;
}

}  // namespace

const Operation* find_operation(std::string_view name) {
    static const auto all = all_operations();
    auto found = all.find(name);
    return found == all.end() ? nullptr : &found->second;
}

}  // namespace conformance
