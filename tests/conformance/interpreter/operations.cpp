#include "operations.h"

#include <unordered_map>

namespace conformance {

namespace {

struct Entry {
    PlainOperation plain = nullptr;
    AwaitingOperation awaiting = nullptr;
};

std::unordered_map<std::string_view, Entry> all_operations() {
    std::unordered_map<std::string_view, Entry> all;
    for (const Operations& some : {flow_operations(), combine_operations(), block_operations(), future_operations(),
                                   loop_operations(), sync_operations()}) {
        for (auto& [name, operation] : some.plain) all[name].plain = operation;
        for (auto& [name, operation] : some.awaiting) all[name].awaiting = operation;
    }
    return all;
}

}  // namespace

void find_operation(std::string_view name, Node& node) {
    static const auto all = all_operations();
    auto found = all.find(name);
    if (found == all.end()) return;
    node.plain = found->second.plain;
    node.awaiting = found->second.awaiting;
}

}  // namespace conformance
