#include "faults/failing_pool.h"

#include <cstdlib>

#include "detail/pool_depot.h"
#include "faults/faults.h"

using asyncio::detail::PoolBatch;
using asyncio::detail::PoolDepot;

// The linker gives the library these in the place of its own: --wrap in cmake/tests.cmake.
bool wrapped_every_block_is_watched() noexcept asm("__wrap__ZN7asyncio6detail22every_block_is_watchedEv");
bool real_every_block_is_watched() noexcept asm("__real__ZN7asyncio6detail22every_block_is_watchedEv");
PoolBatch wrapped_take(PoolDepot* depot, std::uint16_t size_class, std::uint32_t wanted) noexcept
    asm("__wrap__ZN7asyncio6detail9PoolDepot4takeEtj");
PoolBatch real_take(PoolDepot* depot, std::uint16_t size_class, std::uint32_t wanted) noexcept
    asm("__real__ZN7asyncio6detail9PoolDepot4takeEtj");

bool wrapped_every_block_is_watched() noexcept { return !faults::pool_is_real() && real_every_block_is_watched(); }

PoolBatch wrapped_take(PoolDepot* depot, std::uint16_t size_class, std::uint32_t wanted) noexcept {
    if (!faults::pool_is_real()) return real_take(depot, size_class, wanted);
    if (faults::is_due(faults::Kind::allocation) || faults::is_due(faults::Kind::thread_allocation)) return {};
    return real_take(depot, size_class, 1);
}

namespace faults {

bool pool_is_real() noexcept {
    static const bool is_real = std::getenv("FAULTS_POOL") != nullptr;
    return is_real;
}

long blocks_out() noexcept {
    using namespace asyncio::detail;
    pool_depot.give_all_back();
    long count = 0;
    for (PoolRegion* region = pool_depot.regions().first(); region != nullptr; region = region->next) {
        for (const PoolSpan& span : region->spans) {
            if (span.size_class != no_class) count += span.carved - span.returned;
        }
    }
    return count;
}

}  // namespace faults
