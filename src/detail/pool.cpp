#include <asyncio/detail/pool.h>

#include "detail/pool_depot.h"
#include "detail/sanitizers.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace asyncio::detail {
namespace {

// A thread's lists before its first block and after its end: nothing is in them, and nothing fits.
constexpr PoolLists unborn = {};
constexpr PoolLists dead = {};

}  // namespace

constinit thread_local PoolList* pool_lists = const_cast<PoolList*>(unborn);

namespace {

std::uint32_t most_in_list(std::uint16_t size_class) noexcept {
    std::uint32_t full = full_batch(size_class);
    return pool_depot.is_frugal() ? std::min(small_batch, full) : full;
}

void put_list(std::uint16_t size_class, PoolList& list) noexcept {
    pool_depot.put(size_class, {list.head, list.capacity - list.room});
    list = {};
}

void put_everything(PoolCache& cache) noexcept {
    for (std::uint16_t i = 0; i < cache_class; ++i) {
        put_list(i, cache.lists[i]);
        pool_depot.put(i, std::exchange(cache.spares[i], {}));
    }
}

// Ends the thread's part in the pool, when it ends or its module is unloaded.
struct Retirement {
    Retirement() noexcept {}
    ~Retirement() {
        PoolList* lists = std::exchange(pool_lists, const_cast<PoolList*>(dead));
        if (lists == unborn) return;  // where all is one translation unit, another thread_local of it was used
        auto* cache = reinterpret_cast<PoolCache*>(lists);
        put_everything(*cache);
        pool_depot.put(cache_class, {new (cache) PoolBlock{nullptr}, 1});
    }
    void come_to_pass() noexcept {}
};
thread_local Retirement retirement;

/// Null if the thread is at its end, or there is no memory for a cache.
PoolCache* cache_of_this_thread() noexcept {
    if (pool_lists == dead) return nullptr;
    if (pool_lists == unborn) {
        PoolBlock* memory = pool_depot.take(cache_class, 1).head;
        if (memory == nullptr) return nullptr;
        pool_lists = (new (memory) PoolCache)->lists;
        retirement.come_to_pass();
    }
    return reinterpret_cast<PoolCache*>(pool_lists);
}

PoolBatch take_batch(PoolCache& cache, std::uint16_t size_class) noexcept {
    if (cache.spares[size_class].head != nullptr) return std::exchange(cache.spares[size_class], {});
    std::uint16_t& next = cache.next_take[size_class];
    if (next == 0) next = static_cast<std::uint16_t>(std::max<std::size_t>(1024 / block_bytes(size_class), 2));
    PoolBatch batch = pool_depot.take(size_class, std::min<std::uint32_t>(next, most_in_list(size_class)));
    next = static_cast<std::uint16_t>(std::min<std::uint32_t>(next * 2U, full_batch(size_class)));
    return batch;
}

}  // namespace

void* allocate_slowly(std::size_t size) {
    if (size > pool_largest || every_block_is_watched()) return ::operator new(size);
    std::uint16_t size_class = size_class_of(size);
    PoolCache* cache = cache_of_this_thread();
    PoolBatch batch = cache == nullptr ? pool_depot.take(size_class, 1) : take_batch(*cache, size_class);
    if (batch.head == nullptr) throw std::bad_alloc();
    if (cache == nullptr) return batch.head;
    PoolList& list = cache->lists[size_class];
    list.head = batch.head->next;
    list.capacity = std::max(batch.count, most_in_list(size_class));
    list.room = list.capacity - (batch.count - 1);
    return batch.head;
}

void deallocate_slowly(void* memory, std::size_t size) noexcept {
    if (size > pool_largest || every_block_is_watched()) return ::operator delete(memory);
    std::uint16_t size_class = size_class_of(size);
    auto* block = new (memory) PoolBlock{nullptr};
    PoolCache* cache = cache_of_this_thread();
    if (cache == nullptr) return pool_depot.put(size_class, {block, 1});
    PoolList& list = cache->lists[size_class];
    if (list.head != nullptr) {  // it is full
        PoolBatch all = {list.head, list.capacity};
        list = {};
        pool_depot.put(size_class, std::exchange(cache->spares[size_class], all));
    }
    if (bool frugal = pool_depot.is_frugal(); frugal != cache->frugal) {
        cache->frugal = frugal;
        if (frugal) put_everything(*cache);
    }
    list.head = block;
    list.capacity = most_in_list(size_class);
    list.room = list.capacity - 1;
}

std::size_t pool_bytes_reserved() noexcept { return pool_depot.reserved_bytes(); }

}  // namespace asyncio::detail
