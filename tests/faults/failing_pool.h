#pragma once

namespace faults {

/// Whether small blocks come from the pool, block by block, and not from `operator new`; a process does one of the two,
/// by the environment's FAULTS_POOL. A block that the pool lacks is then an allocation that fails.
bool pool_is_real() noexcept;

/// How many blocks of the pool are out, while no thread but those that are for ever has any to itself.
long blocks_out() noexcept;

}  // namespace faults
