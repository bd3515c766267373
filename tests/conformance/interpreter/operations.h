#pragma once

#include "node.h"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace conformance {

/// The operations of one source file, under their names in programs.
struct Operations {
    std::vector<std::pair<std::string_view, PlainOperation>> plain = {};
    std::vector<std::pair<std::string_view, AwaitingOperation>> awaiting = {};
};

Operations flow_operations();     // sleep, call, loop, try, await …
Operations combine_operations();  // gather, wait, as_completed, wait_for, shield
Operations block_operations();    // timeout, group
Operations future_operations();   // tasks, futures, callbacks
Operations loop_operations();     // call_soon and its like, contexts
Operations sync_operations();     // locks, queues

/// Enters the operation of this name into the node; nothing if there is none.
void find_operation(std::string_view name, Node& node);

}  // namespace conformance
