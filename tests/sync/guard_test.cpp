// What all primitives have in common that can be held for the length of a block.
#include "sync/sync_support.h"

#include <asyncio/sync/condition.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/with.h>

#include <gtest/gtest.h>

namespace {

using namespace asyncio;
using namespace support;

template <class Primitive>
class Holdable : public testing::Test {};
using Primitives = testing::Types<Lock, Condition, Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(Holdable, Primitives);

// CPython: test_pep492.py, LockTests.test_context_manager_async_with
TYPED_TEST(Holdable, IsHeldInsideAWithAndByAGuard) {
    TypeParam primitive;
    run_test([&]() -> Coro<> {
        co_await sleep(10ms);
        EXPECT_FALSE(primitive.locked());
        co_await with(primitive, [&]() -> Coro<> {
            EXPECT_TRUE(primitive.locked());
            co_await sleep(10ms);
            EXPECT_TRUE(primitive.locked());
        });
        EXPECT_FALSE(primitive.locked());
        {
            auto guard = co_await primitive.guard();
            EXPECT_TRUE(primitive.locked());
            co_await sleep(10ms);
            EXPECT_TRUE(primitive.locked());
        }
        EXPECT_FALSE(primitive.locked());
    });
    EXPECT_FALSE(primitive.locked());
}

}  // namespace
