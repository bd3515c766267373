#pragma once

#include "node.h"

#include <string_view>
#include <utility>
#include <vector>

namespace conformance {

/// The operations of one source file, under their names in programs.
using Operations = std::vector<std::pair<std::string_view, Operation>>;

Operations flow_operations();       // sleep, call, await …
Operations walk_operations();       // loop, try
Operations task_operations();       // making and cancelling tasks
Operations future_operations();     // futures and their callbacks
Operations callback_operations();   // call_soon and its like, contexts
Operations combine_operations();    // gather, wait, wait_for, shield
Operations completed_operations();  // as_completed
Operations block_operations();      // timeout, group
Operations lock_operations();
Operations queue_operations();
Operations generator_operations();

/// The operation of this name, or null.
const Operation* find_operation(std::string_view name);

}  // namespace conformance
