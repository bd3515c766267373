#include <asyncio/detail/pool.h>

#include <cstdint>
#include <mutex>
#include <new>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASYNCIO_PLAIN_NEW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ASYNCIO_PLAIN_NEW 1
#endif
#endif

namespace asyncio::detail {

constinit thread_local PoolList* pool_lists = nullptr;

#ifdef ASYNCIO_PLAIN_NEW  // so that the sanitizer sees every block's life

void* allocate_slowly(std::size_t size) { return ::operator new(size); }
void deallocate_slowly(void* block, std::size_t size) noexcept { ::operator delete(block, size); }
std::size_t pool_bytes_reserved() noexcept { return 0; }

#else

namespace {

constexpr std::size_t class_count = sizeof(PoolLists) / sizeof(PoolList);  // class 0 serves size 0
constexpr std::size_t first_chunk = 64 * 1024;
constexpr std::size_t last_chunk = 1024 * 1024;

// The first block of a list that waits in the depot.
struct Batch : PoolBlock {
    Batch* next_batch;
};
// What is left of a chunk whose thread ended.
struct Remnant {
    Remnant* next;
    std::size_t size;
};
static_assert(sizeof(Batch) <= pool_granule && sizeof(Remnant) <= pool_granule);

constexpr std::size_t bytes_of(std::size_t size_class) {
    return size_class == 0 ? pool_granule : size_class * pool_granule;
}

// How many blocks make a full batch: what a thread may keep to itself is twice this.
constexpr std::uint32_t batch_size(std::size_t size_class) {
    std::size_t count = 32 * 1024 / bytes_of(size_class);
    return static_cast<std::uint32_t>(count > 512 ? 512 : count);
}

// What the threads share. Never destroyed, so that the last destructors of the program may still
// use it.
struct Depot {
    std::mutex mutex;
    Batch* batches[class_count] = {};
    Remnant* remnants = nullptr;
    std::size_t reserved = 0;  // atomic
};
static_assert(std::is_trivially_destructible_v<std::mutex>);
constinit Depot depot;

enum class Life : unsigned char { unborn, alive, dead };

struct Cache {
    // Their room is zero at first and after the thread's end, so that the first deallocation of each kind takes the
    // slow path.
    PoolLists lists;
    PoolBlock* spares[class_count];  // one batch in reserve, so that a count swinging about the limit
                                     // needs no lock
    char* chunk;
    char* chunk_end;
    std::size_t next_chunk;
    Life life;
};
constinit thread_local Cache cache = {};

void put_batch(std::size_t size_class, PoolBlock* blocks) noexcept {
    if (blocks == nullptr) return;
    auto* batch = static_cast<Batch*>(blocks);
    std::lock_guard lock(depot.mutex);
    batch->next_batch = depot.batches[size_class];
    depot.batches[size_class] = batch;
}

PoolBlock* take_batch(std::size_t size_class) noexcept {
    std::lock_guard lock(depot.mutex);
    Batch* batch = depot.batches[size_class];
    if (batch != nullptr) depot.batches[size_class] = batch->next_batch;
    return batch;
}

void put_remnant(char* begin, char* end) noexcept {
    if (begin == end) return;
    auto* remnant = reinterpret_cast<Remnant*>(begin);
    std::lock_guard lock(depot.mutex);
    remnant->size = static_cast<std::size_t>(end - begin);
    remnant->next = depot.remnants;
    depot.remnants = remnant;
}

void retire(Cache& mine) noexcept {
    mine.life = Life::dead;
    pool_lists = nullptr;
    for (std::size_t i = 0; i < class_count; ++i) {
        put_batch(i, mine.lists[i].head);
        put_batch(i, mine.spares[i]);
        mine.lists[i] = {};
        mine.spares[i] = nullptr;
    }
    put_remnant(mine.chunk, mine.chunk_end);
    mine.chunk = mine.chunk_end = nullptr;
}

struct Retirement {
    Retirement() noexcept {}
    ~Retirement() { retire(cache); }
    void begin() noexcept {
        cache.life = Life::alive;
        pool_lists = cache.lists;
    }
};
thread_local Retirement retirement;

void wake(Cache& mine) noexcept {
    if (mine.life == Life::unborn) retirement.begin();
}

// Too little room is left for this size: what is there serves smaller ones.
void use_up_chunk(Cache& mine) noexcept {
    auto left = static_cast<std::size_t>(mine.chunk_end - mine.chunk);
    if (left != 0) {
        auto* block = reinterpret_cast<PoolBlock*>(mine.chunk);
        PoolList& list = mine.lists[left / pool_granule];
        block->next = list.head;
        list.head = block;
        if (list.room != 0) --list.room;
    }
    mine.chunk = mine.chunk_end = nullptr;
}

void get_chunk(Cache& mine) {
    {
        std::lock_guard lock(depot.mutex);
        if (Remnant* remnant = depot.remnants; remnant != nullptr) {
            depot.remnants = remnant->next;
            mine.chunk = reinterpret_cast<char*>(remnant);
            mine.chunk_end = mine.chunk + remnant->size;
            return;
        }
    }
    if (mine.next_chunk == 0) mine.next_chunk = first_chunk;
    mine.chunk = static_cast<char*>(::operator new (mine.next_chunk, std::align_val_t{pool_granule}));
    mine.chunk_end = mine.chunk + mine.next_chunk;
    __atomic_fetch_add(&depot.reserved, mine.next_chunk, __ATOMIC_RELAXED);
    if (mine.next_chunk < last_chunk) mine.next_chunk *= 2;
}

constexpr std::size_t class_of(std::size_t size) { return (size + pool_granule - 1) / pool_granule; }

}  // namespace

void* allocate_slowly(std::size_t size) {
    if (size > pool_largest) return ::operator new(size);
    std::size_t size_class = class_of(size);
    Cache& mine = cache;
    wake(mine);
    PoolList& list = mine.lists[size_class];
    PoolBlock* block = mine.spares[size_class];
    mine.spares[size_class] = nullptr;
    if (block == nullptr) block = take_batch(size_class);
    if (block != nullptr) {
        list.head = block->next;
        list.room = 1;
    } else {
        std::size_t bytes = bytes_of(size_class);
        while (static_cast<std::size_t>(mine.chunk_end - mine.chunk) < bytes) {
            use_up_chunk(mine);
            get_chunk(mine);
        }
        block = reinterpret_cast<PoolBlock*>(mine.chunk);
        mine.chunk += bytes;
        list.room = batch_size(size_class);
    }
    if (mine.life == Life::dead) retire(mine);
    return block;
}

void deallocate_slowly(void* memory, std::size_t size) noexcept {
    if (size > pool_largest) return ::operator delete(memory, size);
    auto* block = static_cast<PoolBlock*>(memory);
    std::size_t size_class = class_of(size);
    Cache& mine = cache;
    wake(mine);
    if (mine.life == Life::dead) {
        block->next = nullptr;
        return put_batch(size_class, block);
    }
    PoolList& list = mine.lists[size_class];
    if (list.head != nullptr) {  // full; or the very first time, with next to nothing in it
        put_batch(size_class, mine.spares[size_class]);
        mine.spares[size_class] = list.head;
    }
    block->next = nullptr;
    list.head = block;
    list.room = batch_size(size_class) - 1;
}

std::size_t pool_bytes_reserved() noexcept { return __atomic_load_n(&depot.reserved, __ATOMIC_RELAXED); }

#endif

}  // namespace asyncio::detail
