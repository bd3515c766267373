#pragma once

#include <cstddef>

namespace asyncio::detail {

/// Gets memory for a coroutine frame, a task or any other small object that comes and goes often.
///
/// Aligned to 16 bytes. Up to 1024 bytes it comes from the calling thread's own free lists, without
/// a lock; what is larger comes from `operator new`. Throws std::bad_alloc. Under ASan and TSan
/// always `operator new`.
void* allocate(std::size_t size);

/// Gives back what `allocate(size)` gave, with the same size. May be called on any thread, also
/// late: by destructors of thread_local and static objects.
void deallocate(void* block, std::size_t size) noexcept;

/// How many bytes all threads together have taken from the system for small blocks; never shrinks.
/// For tests.
std::size_t pool_bytes_reserved() noexcept;

/// A base class whose heirs are allocated from the pool by plain `new` and `delete`.
///
/// It has no placement form: a coroutine with a pointer as its only argument would take that for the place of its
/// frame.
struct Pooled {
    static void* operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept { deallocate(block, size); }
};

}  // namespace asyncio::detail
