#pragma once

#include <asyncio/detail/pool.h>

#include "detail/pool_regions.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace asyncio::detail {

/// Size classes go from 0 (which serves size 0) to 64; one more has the threads' caches.
constexpr std::uint16_t cache_class = sizeof(PoolLists) / sizeof(PoolList);

struct PoolBatch {
    PoolBlock* head = nullptr;
    std::uint32_t count = 0;
};

/// What a thread has to itself.
struct PoolCache {
    PoolLists lists = {};
    PoolBatch spares[cache_class] = {};  // one batch in reserve, so that a count swinging about the limit needs no lock
    std::uint16_t next_take[cache_class] = {};  // how many blocks to ask for: ever more, for who wants many
    bool frugal = false;                        // has done what a frugal depot asks for
};
constexpr std::size_t cache_bytes = (sizeof(PoolCache) + pool_granule - 1) / pool_granule * pool_granule;

constexpr std::uint16_t size_class_of(std::size_t size) noexcept {
    return static_cast<std::uint16_t>((size + pool_granule - 1) / pool_granule);
}
constexpr std::size_t block_bytes(std::uint16_t size_class) noexcept {
    if (size_class == cache_class) return cache_bytes;
    return size_class == 0 ? pool_granule : size_class * pool_granule;
}

/// How many blocks a full batch has: what a thread may keep to itself is twice this.
constexpr std::uint32_t full_batch(std::uint16_t size_class) noexcept {
    std::size_t count = span_bytes / block_bytes(size_class);
    return static_cast<std::uint32_t>(count > 512 ? 512 : count);
}
/// The same while free memory is to go back to the system: each block that a thread keeps may hold a whole span.
constexpr std::uint32_t small_batch = 32;

/// A lock that whoever forks has from before the fork until after it, in the parent and in the child, without waiting
/// for itself: other handlers of fork() may use the pool.
class ForkableLock {
public:
    void lock() noexcept {
        if (!is_forking_here()) mutex_.lock();
    }
    void unlock() noexcept {
        if (!is_forking_here()) mutex_.unlock();
    }
    void before_fork() noexcept {
        mutex_.lock();
        forking_.store(&pool_lists, std::memory_order_relaxed);
    }
    void after_fork() noexcept {
        forking_.store(nullptr, std::memory_order_relaxed);
        mutex_.unlock();
    }

private:
    bool is_forking_here() const noexcept { return forking_.load(std::memory_order_relaxed) == &pool_lists; }

    std::mutex mutex_;
    std::atomic<const void*> forking_ = nullptr;  // something that only that thread has
};

/// What the threads share: free blocks by the batch.
///
/// As long as much of the memory is in use, a full batch is kept as it came and goes to the next thread that wants one.
/// When more is free than in use, and more than 4 MiB, the depot becomes frugal: batches are taken apart, each block
/// goes home to its span, and a span that has all of its blocks again is free for any class. Of such spans as much is
/// kept as half of what is in use, or 4 MiB; the rest goes back to the system, 1 MiB at a time since somebody waits. So
/// a load that swings between its least and twice that costs nothing. For one that swings more the 4 MiB grow, up to 32
/// MiB: by what has to be taken from the system again within 5 seconds. Those are forgotten after 5 seconds without
/// that.
///
/// Never destroyed, so that the last destructors of the program may still use it. Any thread may call.
class PoolDepot {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t least_kept = std::size_t(4) << 20;
    static constexpr std::size_t most_kept = std::size_t(32) << 20;
    static constexpr Clock::duration memory = std::chrono::seconds(5);

    explicit constexpr PoolDepot(Clock::time_point (*now)() noexcept = &Clock::now) noexcept : now_(now) {}

    /// About as many blocks as are wanted, one if it is one that is; none if the system has no more memory.
    PoolBatch take(std::uint16_t size_class, std::uint32_t wanted) noexcept;
    void put(std::uint16_t size_class, PoolBatch batch) noexcept;

    bool is_frugal() const noexcept { return frugal_.load(std::memory_order_relaxed); }

    /// Gives everything that nobody uses back to the system.
    void give_all_back() noexcept;

    /// The bytes of the spans that are in use, or kept for the next.
    std::size_t reserved_bytes() noexcept;

    void before_fork() noexcept { lock_.before_fork(); }
    void after_fork() noexcept { lock_.after_fork(); }

    /// For tests, on one thread.
    const PoolRegions& regions() const noexcept { return regions_; }

private:
    struct StoredBatch : PoolBlock {
        StoredBatch* next_batch;
    };
    static_assert(sizeof(StoredBatch) <= pool_granule);

    PoolSpan* new_span(std::uint16_t size_class) noexcept;
    PoolBatch take_stored(std::uint16_t size_class) noexcept;
    void bring_home(std::uint16_t size_class, PoolBlock& block) noexcept;
    void bring_all_home(std::uint16_t size_class, PoolBlock* blocks) noexcept;
    void bring_home_stored_batches() noexcept;
    void link(PoolSpan& span) noexcept;
    void unlink(PoolSpan& span) noexcept;
    void keep_house() noexcept;
    void trim() noexcept;
    void note_cold_span() noexcept;

    ForkableLock lock_;                          // guards all that follows
    StoredBatch* stored_[cache_class + 1] = {};  // full batches, as they came
    PoolSpan* giving_[cache_class + 1] = {};     // spans that have a block at home, or some never carved
    PoolRegions regions_;
    std::size_t free_bytes_ = 0;  // of blocks in stored batches and at home
    std::size_t stored_count_ = 0;
    std::uint16_t next_stored_ = 0;  // the class to look for one in
    std::atomic<bool> frugal_ = false;
    std::size_t kept_ = least_kept;  // free memory that is no reason to do anything
    bool trimming_ = false;
    std::size_t given_to_system_ = 0;
    Clock::time_point last_given_;
    Clock::time_point last_regret_;
    Clock::time_point (*now_)() noexcept;
};

extern constinit PoolDepot pool_depot;

}  // namespace asyncio::detail
