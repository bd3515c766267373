// The pool, when the system has no more memory.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "detail/pool_depot.h"
#include "faults/faults.h"

namespace asyncio::detail {
namespace {

PoolBlock* take_first(PoolBatch& batch) {
    --batch.count;
    return std::exchange(batch.head, batch.head->next);
}

void add(PoolBatch& batch, PoolBlock* block) {
    block->next = std::exchange(batch.head, block);
    ++batch.count;
}

TEST(PoolFaults, WhatIsStoredForManyIsGivenToOneThatWantsASingleBlock) {
    PoolDepot depot;
    std::uint16_t size_class = size_class_of(1024);
    std::uint32_t full = full_batch(size_class);
    PoolBatch first = depot.take(size_class, full);
    PoolBatch second = depot.take(size_class, full);
    ASSERT_EQ(second.count, full);
    PoolBlock* other = take_first(second);
    add(second, take_first(first));  // so that no span has all of its own
    std::vector<PoolBatch> rest;
    faults::set(faults::Kind::system_call, 1, true);
    for (;;) {
        PoolBatch batch = depot.take(size_class, full);
        if (batch.count == 0) break;
        rest.push_back(batch);
    }
    depot.put(size_class, second);
    PoolBatch single = depot.take(size_class, 1);
    faults::clear();
    EXPECT_EQ(single.count, 1u);
    if (single.count == 0) return;
    add(first, other);
    depot.put(size_class, single);
    depot.put(size_class, first);
    for (PoolBatch batch : rest) depot.put(size_class, batch);
    depot.give_all_back();
    EXPECT_EQ(depot.reserved_bytes(), 0u);
}

}  // namespace
}  // namespace asyncio::detail
