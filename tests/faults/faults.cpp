#include "faults/faults.h"

#include <dirent.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace faults {

namespace {

std::atomic<bool> is_set = false;
std::atomic<bool> has_struck = false;
std::atomic<long> count = 0;
std::atomic<long> live = 0;
Kind kind_set = Kind::allocation;
long first_to_fail = 0;
bool all_fail = false;
bool stacks_wanted = false;
thread_local bool is_own_thread = false;
thread_local int pauses = 0;

void print_stack() noexcept {
    std::fputs("---- the fault strikes here:\n", stderr);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_print_stack_trace();
#endif
}

}  // namespace

void set(Kind kind, long first, bool all_that_follow) noexcept {
    kind_set = kind;
    first_to_fail = first;
    all_fail = all_that_follow;
    count = 0;
    has_struck = false;
    is_own_thread = true;
    is_set = true;
}

bool clear() noexcept {
    is_set = false;
    return has_struck;
}

bool is_due(Kind kind) noexcept {
    if (!is_set || kind != kind_set || pauses > 0) return false;
    if (kind == Kind::allocation && !is_own_thread) return false;
    if (kind == Kind::thread_allocation && is_own_thread) return false;
    long number = ++count;
    bool fails = all_fail ? number >= first_to_fail : number == first_to_fail;
    if (!fails) return false;
    has_struck = true;
    if (stacks_wanted && number < first_to_fail + 5) {
        Pause pause;
        print_stack();
    }
    return true;
}

bool is_for_ever() noexcept { return all_fail; }

void print_stacks() noexcept { stacks_wanted = true; }

Pause::Pause() noexcept { ++pauses; }
Pause::~Pause() { --pauses; }

long live_allocations() noexcept { return live; }

int open_descriptors() {
    int number = 0;
    DIR* folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++number;
    ::closedir(folder);
    return number;
}

namespace {

void* get(std::size_t size, std::size_t alignment) {
    if (is_due(Kind::allocation) || is_due(Kind::thread_allocation)) return nullptr;
    if (size == 0) size = 1;
    void* block = alignment == 0 ? std::malloc(size)
                                 : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (block != nullptr) ++live;
    return block;
}

void* get_or_throw(std::size_t size, std::size_t alignment = 0) {
    void* block = get(size, alignment);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

void give_back(void* block) noexcept {
    if (block == nullptr) return;
    --live;
    std::free(block);
}

}  // namespace
}  // namespace faults

void* operator new(std::size_t size) { return faults::get_or_throw(size); }
void* operator new[](std::size_t size) { return faults::get_or_throw(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return faults::get_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return faults::get_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return faults::get(size, 0); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return faults::get(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return faults::get(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return faults::get(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { faults::give_back(block); }
void operator delete[](void* block) noexcept { faults::give_back(block); }
void operator delete(void* block, std::size_t) noexcept { faults::give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { faults::give_back(block); }
void operator delete(void* block, std::align_val_t) noexcept { faults::give_back(block); }
void operator delete[](void* block, std::align_val_t) noexcept { faults::give_back(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { faults::give_back(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { faults::give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { faults::give_back(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { faults::give_back(block); }
