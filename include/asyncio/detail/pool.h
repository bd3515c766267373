#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace asyncio::detail {

constexpr std::size_t pool_granule = 16;
constexpr std::size_t pool_largest = 1024;

/// How many of them such an object takes.
constexpr std::size_t granules_of(std::size_t size) noexcept { return (size + pool_granule - 1) / pool_granule; }

/// A free block; those of one size make a list.
struct PoolBlock {
    PoolBlock* next;
};
struct PoolList {
    PoolBlock* head;
    std::uint32_t room;      // how many more blocks fit before the list is put away
    std::uint32_t capacity;  // how many fit into it when it is empty
};
/// The free lists of one thread, by size in granules.
using PoolLists = PoolList[pool_largest / pool_granule + 1];

/// The thread's own, once it has any; before, after its end, and under a sanitizer, which wants to see each block,
/// lists that are empty and without room. A pointer alone, for this is static thread-local storage, of which a program
/// has little left for the plugins that it loads.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local PoolList* pool_lists;

void* allocate_slowly(std::size_t size);
void deallocate_slowly(void* block, std::size_t size) noexcept;

/// Gets memory for a coroutine frame, a task or any other small object that comes and goes often.
///
/// Up to 1024 bytes it comes from the calling thread's own free lists, without a lock, and is aligned to 16 bytes; what
/// is larger comes from `operator new`. Throws std::bad_alloc. Inline, since the size is known where a frame is made.
inline void* allocate(std::size_t size) {
    if (size <= pool_largest) [[likely]] {
        PoolList& list = pool_lists[granules_of(size)];
        if (PoolBlock* block = list.head; block != nullptr) [[likely]] {
            list.head = block->next;
            ++list.room;
            return block;
        }
    }
    return allocate_slowly(size);
}

/// `deallocate()` for a block of so many granules, which is not larger than the largest.
inline void deallocate_granules(void* memory, std::size_t granules) noexcept {
    PoolList& list = pool_lists[granules];
    if (list.room == 0) [[unlikely]]
        return deallocate_slowly(memory, granules * pool_granule);
    auto* block = static_cast<PoolBlock*>(memory);
    --list.room;
    block->next = list.head;
    list.head = block;
}

/// Gives back what `allocate(size)` gave, with the same size. May be called on any thread, also
/// late: by destructors of thread_local and static objects.
///
/// Memory that nobody uses serves blocks of other sizes and goes back to the system, but for some MiB, and as much as
/// half of what is in use.
inline void deallocate(void* memory, std::size_t size) noexcept {
    if (size <= pool_largest) [[likely]]
        return deallocate_granules(memory, granules_of(size));
    deallocate_slowly(memory, size);
}

/// How many bytes of the system's memory there are for small blocks, in use or kept for the next. For tests.
std::size_t pool_bytes_reserved() noexcept;

namespace bases {

/// A base class whose heirs are allocated from the pool by plain `new` and `delete`.
///
/// It has no placement form: a coroutine with a pointer as its only argument would take that for the place of its
/// frame.
struct Pooled {
    static void* operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept { deallocate(block, size); }

    // Those that keep something of a user's which wants more than the pool's 16 bytes. Before clang 19 there is no
    // global operator that is told the size.
    static void* operator new(std::size_t size, std::align_val_t alignment) { return ::operator new(size, alignment); }
    static void operator delete(void* block, std::size_t, std::align_val_t alignment) noexcept {
        ::operator delete(block, alignment);
    }
};

}  // namespace bases
using bases::Pooled;

}  // namespace asyncio::detail
