#include "detail/system_memory.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

// LeakSanitizer follows pointers out of mapped memory only if it knows that. It may be in a program around a library
// that was built without it.
extern "C" {
[[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t size);
[[gnu::weak]] void __lsan_unregister_root_region(const void* begin, std::size_t size);
}

namespace asyncio::detail {
namespace {

char* map_anywhere(std::size_t size) noexcept {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

std::size_t past_boundary(const char* memory, std::size_t boundary) noexcept {
    return reinterpret_cast<std::uintptr_t>(memory) & (boundary - 1);
}

char* map_aligned(std::size_t size) noexcept {
    char* memory = map_anywhere(size);  // it is aligned as a rule, beside the last one
    if (memory == nullptr || past_boundary(memory, size) == 0) return memory;
    ::munmap(memory, size);
    memory = map_anywhere(2 * size);
    if (memory == nullptr) return nullptr;
    std::size_t before = size - past_boundary(memory, size);
    if (before != 0) ::munmap(memory, before);
    if (before != size) ::munmap(memory + before + size, size - before);
    return memory + before;
}

}  // namespace

void* map_memory(std::size_t size) noexcept {
    int error = errno;
    char* memory = map_aligned(size);
    errno = error;
    if (memory != nullptr && __lsan_register_root_region != nullptr) __lsan_register_root_region(memory, size);
    return memory;
}

bool unmap_memory(void* begin, std::size_t size) noexcept {
    int error = errno;
    bool done = ::munmap(begin, size) == 0;
    errno = error;
    if (done && __lsan_unregister_root_region != nullptr) __lsan_unregister_root_region(begin, size);
    return done;
}

bool discard_memory(void* begin, std::size_t size) noexcept {
    std::uintptr_t page = memory_page_bytes();
    auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
    auto end = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
    if (first >= end) return true;
    int error = errno;
    bool done = ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED) == 0;
    errno = error;
    return done;
}

std::size_t memory_page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
}

bool call_at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
    return ::pthread_atfork(before, in_parent, in_child) == 0;
}

}  // namespace asyncio::detail
