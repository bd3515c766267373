#include "operations.h"
#include "run.h"
#include "things.h"

namespace conformance {

void make_things(Run& run, const Node&) { run.things = std::make_unique<Things>(); }

Operations sync_operations() { return {}; }

}  // namespace conformance
