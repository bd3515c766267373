#include "detail/pool_depot.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "detail/system_memory.h"

namespace {

using namespace asyncio::detail;
using namespace std::chrono_literals;

constexpr std::size_t mebibyte = std::size_t(1) << 20;

PoolDepot::Clock::time_point now;
PoolDepot::Clock::time_point manual_clock() noexcept { return now; }

/// A depot of the test's own, and the blocks that it gave.
class DepotUser {
public:
    ~DepotUser() {
        free_all();
        depot.give_all_back();
        EXPECT_EQ(depot.reserved_bytes(), 0U);
    }

    void take(std::uint16_t size_class, std::size_t bytes) {
        for (std::size_t taken = 0; taken < bytes;) {
            PoolBatch batch = depot.take(size_class, full_batch(size_class));
            taken += batch.count * block_bytes(size_class);
            while (batch.head != nullptr) {
                PoolBlock* block = std::exchange(batch.head, batch.head->next);
                blocks.emplace_back(size_class, block);
            }
        }
    }

    void take_several_sizes(std::size_t bytes) {
        for (int size_class : {1, 6, 13, 40, 64}) take(static_cast<std::uint16_t>(size_class), bytes / 5);
    }

    /// In their order, by the batch as a thread gives them back.
    void free_all() {
        PoolBatch batch;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            auto [size_class, block] = blocks[i];
            block->next = batch.head;
            batch = {block, batch.count + 1};
            std::uint32_t most =
                depot.is_frugal() ? std::min(small_batch, full_batch(size_class)) : full_batch(size_class);
            if (batch.count < most && i + 1 < blocks.size() && blocks[i + 1].first == size_class) continue;
            depot.put(size_class, std::exchange(batch, {}));
        }
        blocks.clear();
    }

    PoolDepot depot{&manual_clock};
    std::vector<std::pair<std::uint16_t, PoolBlock*>> blocks;
};

TEST(PoolDepot, GivesTheMemoryOfAStormBackToTheSystem) {
    DepotUser user;
    user.take_several_sizes(50 * mebibyte);
    EXPECT_GE(user.depot.reserved_bytes(), 50 * mebibyte);
    EXPECT_LE(user.depot.reserved_bytes(), 52 * mebibyte);
    user.free_all();
    EXPECT_LE(user.depot.reserved_bytes(), 2 * PoolDepot::least_kept);
}

TEST(PoolDepot, GivesTheMemoryOfAStormBackInWhateverOrderTheBlocksCome) {
    DepotUser user;
    user.take(13, 30 * mebibyte);
    std::shuffle(user.blocks.begin(), user.blocks.end(), std::mt19937(1));
    user.free_all();
    EXPECT_LE(user.depot.reserved_bytes(), 2 * PoolDepot::least_kept);
}

TEST(PoolDepot, GivesTheSpansBetweenThoseThatAreStillInUseBackToTheSystem) {
    DepotUser user;
    user.take(13, 30 * mebibyte);
    std::vector<std::pair<std::uint16_t, PoolBlock*>> kept;
    for (std::size_t i = 0; i < user.blocks.size(); i += user.blocks.size() / 120) kept.push_back(user.blocks[i]);
    std::erase_if(user.blocks, [&](auto& block) { return std::find(kept.begin(), kept.end(), block) != kept.end(); });
    user.free_all();
    EXPECT_LE(user.depot.reserved_bytes(), 2 * PoolDepot::least_kept + kept.size() * span_bytes);
    user.blocks = kept;
}

TEST(PoolDepot, ServesOtherSizesWithTheMemoryThatOneSizeNoLongerNeeds) {
    DepotUser user;
    for (int size_class : {2, 12, 33, 64}) {
        now += 10s;
        user.take(static_cast<std::uint16_t>(size_class), 20 * mebibyte);
        EXPECT_LE(user.depot.reserved_bytes(), 21 * mebibyte + 2 * PoolDepot::least_kept);
        user.free_all();
    }
}

TEST(PoolDepot, DoesNothingAboutALoadThatSwingsBetweenItsLeastAndTwiceThat) {
    DepotUser user;
    user.take(13, 20 * mebibyte);
    std::vector<std::pair<std::uint16_t, PoolBlock*>> least = std::move(user.blocks);
    for (int i = 0; i < 5; ++i) {
        user.blocks.clear();
        user.take(13, 18 * mebibyte);
        user.free_all();
        EXPECT_FALSE(user.depot.is_frugal());
        EXPECT_GE(user.depot.reserved_bytes(), 38 * mebibyte);
    }
    user.blocks = std::move(least);
}

TEST(PoolDepot, KeepsTheMemoryOfALoadThatComesAgainAndAgainUntilItNoLongerDoes) {
    DepotUser user;
    auto wave = [&] {
        user.take(13, 30 * mebibyte);
        user.free_all();
        now += 1s;
    };
    for (int i = 0; i < 5; ++i) wave();
    EXPECT_GE(user.depot.reserved_bytes(), 30 * mebibyte);
    now += 10s;
    user.take(13, mebibyte);
    user.free_all();
    for (int i = 0; i < 1000; ++i) user.depot.put(13, user.depot.take(13, 2));  // any use will do
    EXPECT_LE(user.depot.reserved_bytes(), 2 * PoolDepot::least_kept);
}

TEST(PoolDepot, KeepsNoMoreThanSomeMemoryOfALoadThatComesAgainAndAgain) {
    DepotUser user;
    for (int i = 0; i < 4; ++i) {
        user.take(40, 150 * mebibyte);
        user.free_all();
    }
    EXPECT_LE(user.depot.reserved_bytes(), 2 * PoolDepot::most_kept);
}

TEST(PoolDepot, HasEveryBlockInASpanThatOneFindsFromTheListOfRegions) {
    DepotUser user;
    user.take_several_sizes(5 * mebibyte);
    std::size_t found = 0;
    for (PoolRegion* region = user.depot.regions().first(); region != nullptr; region = region->next) {
        for (PoolSpan& span : region->spans) {
            if (span.size_class == no_class) continue;
            auto begin = reinterpret_cast<std::uintptr_t>(PoolRegions::first_block(span));
            std::size_t bytes = block_bytes(span.size_class);
            EXPECT_LE(begin % span_bytes + span.capacity * bytes, span_bytes);
            for (auto [size_class, block] : user.blocks) {
                auto address = reinterpret_cast<std::uintptr_t>(block);
                if (address < begin || address >= begin + span.carved * bytes) continue;
                ++found;
                ASSERT_EQ(span.size_class, size_class);
                ASSERT_EQ((address - begin) % bytes, 0U);
            }
        }
    }
    EXPECT_EQ(found, user.blocks.size());
}

TEST(PoolDepot, LeavesMemoryThatTheSystemDoesNotTakeBackAsItIs) {
    DepotUser user;
    user.take(13, 12 * mebibyte);
    std::vector<std::pair<std::uint16_t, PoolBlock*>> kept;  // one of each region, so that none can be unmapped
    PoolRegion* seen = nullptr;
    for (auto block : user.blocks) {
        PoolRegion& region = PoolRegions::region_of(block.second);
        if (&region == seen) continue;
        seen = &region;
        kept.push_back(block);
        if (::mlock(&region, 64) != 0 || ::mlock(&region, region_bytes / 2) != 0) GTEST_SKIP() << "may not lock memory";
    }
    std::erase_if(user.blocks, [&](auto& block) { return std::find(kept.begin(), kept.end(), block) != kept.end(); });
    user.free_all();
    for (int i = 0; i < 1000; ++i) user.depot.put(13, user.depot.take(13, 2));
    EXPECT_GE(user.depot.reserved_bytes(), 4 * mebibyte);  // what is locked
    user.take_several_sizes(12 * mebibyte);
    EXPECT_LE(user.depot.reserved_bytes(), 16 * mebibyte);
    for (auto [size_class, block] : kept) ::munlock(&PoolRegions::region_of(block), region_bytes);
    user.free_all();
    user.blocks = kept;
}

/// Lets the process have so much more memory.
void limit_memory(std::size_t more) {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages;
    rlimit limit = {};
    limit.rlim_cur = limit.rlim_max = pages * memory_page_bytes() + more;
    ::setrlimit(RLIMIT_AS, &limit);
}

/// What a depot does when the system has no more memory; the code says what is not so.
int use_all_memory(PoolDepot& depot) {
    PoolBlock* all = nullptr;
    std::size_t taken = 0;
    for (;;) {
        PoolBatch batch = depot.take(40, full_batch(40));
        if (batch.head == nullptr) break;
        PoolBlock* last = batch.head;
        while (last->next != nullptr) last = last->next;
        last->next = std::exchange(all, batch.head);
        taken += batch.count;
    }
    if (taken * block_bytes(40) < 6 * mebibyte) return 1;
    if (depot.take(3, 1).head != nullptr) return 2;  // another size
    auto free_some = [&](std::size_t count) {
        for (; all != nullptr && count > 0; --count) {
            PoolBlock* block = std::exchange(all, all->next);
            block->next = nullptr;
            depot.put(40, {block, 1});
        }
    };
    free_some(taken / 2);
    if (depot.take(3, 1).head == nullptr) return 3;  // it has what the first no longer uses
    free_some(taken);
    return depot.take(40, 100).head == nullptr ? 4 : 0;
}

TEST(PoolDepot, GivesNothingWhileTheSystemHasNoMemoryAndGoesOnWhenThereIsSome) {
    pid_t child = ::fork();
    if (child == 0) {
        limit_memory(8 * mebibyte);
        ::_exit(use_all_memory(pool_depot));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "code " << WEXITSTATUS(status);
}

TEST(PoolDepotThread, ServesThreadsThatTakeAndPutWhatOthersTook) {
    DepotUser user;
    auto work = [&](unsigned number) {
        std::mt19937 random(number);
        std::vector<std::pair<std::uint16_t, PoolBatch>> batches;
        for (int i = 0; i < 3000; ++i) {
            if (random() % 3 != 0 || batches.empty()) {
                auto size_class = static_cast<std::uint16_t>(random() % 65);
                batches.emplace_back(size_class, user.depot.take(size_class, 1 + random() % 64));
            } else {
                std::swap(batches.back(), batches[random() % batches.size()]);
                user.depot.put(batches.back().first, batches.back().second);
                batches.pop_back();
            }
        }
        for (auto [size_class, batch] : batches) user.depot.put(size_class, batch);
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
}

TEST(PoolDepotThread, IsWholeInAChildOfAForkThoughAnotherThreadUsesIt) {
    std::atomic<bool> stop = false;
    std::thread other([&] {
        while (!stop) pool_depot.put(7, pool_depot.take(7, 20));
    });
    int status = 0;
    for (int i = 0; i < 40 && status == 0; ++i) {
        pid_t child = ::fork();
        if (child == 0) {
            ::alarm(30);
            for (int k = 0; k < 100; ++k) pool_depot.put(9, pool_depot.take(9, 20));
            ::_exit(0);
        }
        ::waitpid(child, &status, 0);
    }
    EXPECT_EQ(status, 0);
    stop = true;
    other.join();
}

PoolBatch taken_at_fork;
bool wanted_at_fork = false;
void use_the_depot() {
    if (!wanted_at_fork) return;
    pool_depot.put(5, taken_at_fork);
    taken_at_fork = pool_depot.take(5, 40);
}

// Before the pool has its own, so that these run while the pool's lock is held.
[[gnu::constructor(200)]] void register_handlers() { ::pthread_atfork(&use_the_depot, &use_the_depot, &use_the_depot); }

TEST(PoolDepot, ServesOtherHandlersOfFork) {
    wanted_at_fork = true;
    pid_t child = ::fork();
    if (child == 0) ::_exit(taken_at_fork.count == 0 ? 1 : 0);
    wanted_at_fork = false;
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_NE(taken_at_fork.count, 0U);
    pool_depot.put(5, std::exchange(taken_at_fork, {}));
}

}  // namespace
