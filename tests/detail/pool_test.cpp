#include <asyncio/detail/pool.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "detail/sanitizers.h"

namespace {

using asyncio::detail::allocate;
using asyncio::detail::deallocate;
using asyncio::detail::pool_bytes_reserved;

bool pool_is_plain_new() { return asyncio::detail::every_block_is_watched(); }

TEST(Pool, GivesAlignedBlocksOfEverySizeThatDoNotOverlap) {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t size = 0; size <= 1100; size += 7) {
            auto* block = static_cast<unsigned char*>(allocate(size));
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
            std::memset(block, static_cast<int>(size % 251), size);
            blocks.emplace_back(block, size);
        }
    }
    for (auto [block, size] : blocks) {
        for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(block[i], size % 251);
        deallocate(block, size);
    }
}

TEST(Pool, GivesTheBlockFreedLastFirst) {
    if (pool_is_plain_new()) GTEST_SKIP() << "a sanitizer has the memory";
    void* a = allocate(100);
    void* b = allocate(100);
    deallocate(a, 100);
    deallocate(b, 100);
    EXPECT_EQ(allocate(112), b);  // the same size class
    EXPECT_EQ(allocate(97), a);
    deallocate(a, 97);
    deallocate(b, 112);
}

TEST(Pool, UsesFreedMemoryAgain) {
    auto fill_and_empty = [] {
        std::vector<void*> blocks;
        for (int i = 0; i < 20000; ++i) blocks.push_back(allocate(208));
        for (void* block : blocks) deallocate(block, 208);
    };
    fill_and_empty();
    std::size_t reserved = pool_bytes_reserved();
    for (int i = 0; i < 10; ++i) fill_and_empty();
    EXPECT_EQ(pool_bytes_reserved(), reserved);
}

TEST(Pool, GivesTheMemoryOfManyBlocksBack) {
    if (pool_is_plain_new()) GTEST_SKIP() << "a sanitizer has the memory";
    std::size_t before = pool_bytes_reserved();
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 500000; ++i) blocks.push_back(allocate(32 + i % 4 * 160));
    EXPECT_GE(pool_bytes_reserved() - before, std::size_t(120) << 20);
    for (std::size_t i = 0; i < blocks.size(); ++i) deallocate(blocks[i], 32 + i % 4 * 160);
    EXPECT_LE(pool_bytes_reserved() - before, std::size_t(12) << 20);
}

struct Thing : asyncio::detail::Pooled {
    virtual ~Thing() = default;
};
struct BiggerThing : Thing {
    char more[200];
};

TEST(Pool, ServesClassesThatDeriveFromPooled) {
    Thing* thing = new BiggerThing();
    void* place = thing;
    delete thing;  // the virtual destructor knows the size
    if (pool_is_plain_new()) return;
    Thing* next = new BiggerThing();
    EXPECT_EQ(static_cast<void*>(next), place);
    delete next;
}

struct Kept : asyncio::detail::Pooled {
    virtual ~Kept() = default;
};
template <class T>
struct KeptValue final : Kept {
    T value{};
};
struct alignas(64) Wide {
    float values[16] = {};
};

TEST(Pool, GivesClassesThatDeriveFromPooledTheAlignmentThatTheyWant) {
    std::vector<std::unique_ptr<Kept>> kept;
    for (int i = 0; i < 20; ++i) {
        kept.push_back(std::make_unique<KeptValue<char>>());  // so that the next is not aligned by chance
        auto wide = std::make_unique<KeptValue<Wide>>();
        auto address = reinterpret_cast<std::uintptr_t>(&wide->value);
        EXPECT_EQ(address % alignof(Wide), 0U);
        kept.push_back(std::move(wide));
    }
}

TEST(PoolThread, MemoryStaysBoundedWhenOneThreadAllocatesAndAnotherFrees) {
    constexpr std::size_t size = 256;
    constexpr int rounds = 2000;
    constexpr int per_round = 100;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<void*> mailbox;
    bool full = false;
    std::thread consumer([&] {
        for (int round = 0; round < rounds; ++round) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return full; });
            for (void* block : mailbox) deallocate(block, size);
            mailbox.clear();
            full = false;
            changed.notify_all();
        }
    });
    std::size_t before = pool_bytes_reserved();
    for (int round = 0; round < rounds; ++round) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !full; });
        for (int i = 0; i < per_round; ++i) mailbox.push_back(allocate(size));
        full = true;
        changed.notify_all();
    }
    consumer.join();
    EXPECT_LE(pool_bytes_reserved() - before, 512U * 1024);  // 51 MB went through
}

TEST(PoolThread, WhatAThreadHadIsUsedByThoseAfterIt) {
    auto use_memory = [] {
        std::vector<void*> blocks;
        for (int i = 0; i < 1000; ++i) blocks.push_back(allocate(512));
        for (void* block : blocks) deallocate(block, 512);
    };
    std::thread(use_memory).join();
    std::size_t reserved = pool_bytes_reserved();
    for (int i = 0; i < 50; ++i) std::thread(use_memory).join();
    EXPECT_LE(pool_bytes_reserved() - reserved, 64U * 1024);
}

TEST(PoolThread, AThreadThatOnlyFreesLosesNothing) {
    auto hand_over = [] {
        std::vector<void*> blocks;
        for (int i = 0; i < 1000; ++i) blocks.push_back(allocate(512));
        std::thread([&] {
            for (void* block : blocks) deallocate(block, 512);
        }).join();
    };
    hand_over();
    std::size_t reserved = pool_bytes_reserved();
    for (int i = 0; i < 50; ++i) hand_over();
    EXPECT_LE(pool_bytes_reserved(), reserved);
}

struct LateUser {
    void* block = nullptr;
    std::size_t size = 0;
    ~LateUser() {
        if (block == nullptr) return;
        deallocate(block, size);
        for (int i = 0; i < 10; ++i) deallocate(allocate(640), 640);
    }
};
thread_local LateUser late_user;  // made before the pool's own, so it dies after
LateUser static_user;

TEST(PoolThread, WorksAfterTheThreadsOwnCacheIsGone) {
    auto use_late = [] {
        late_user.size = 640;
        late_user.block = allocate(640);
    };
    std::thread(use_late).join();
    std::size_t reserved = pool_bytes_reserved();
    for (int i = 0; i < 50; ++i) std::thread(use_late).join();
    EXPECT_LE(pool_bytes_reserved(), reserved);
}

TEST(Pool, WorksInDestructorsOfStaticObjects) {
    static_user.size = 48;
    static_user.block = allocate(48);
}

}  // namespace
