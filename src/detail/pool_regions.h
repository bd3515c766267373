#pragma once

#include <asyncio/detail/pool.h>

#include <cstddef>
#include <cstdint>

namespace asyncio::detail {

// The pool's memory comes from the system in regions of 1 MiB, aligned to that, so that the address of a block leads to
// its region. A region is cut into spans of 32 KiB, and each span into blocks of one size class; a span that has none
// of its blocks out has no class, and serves whichever wants it next. All that describes a region is in its first
// bytes, and the regions are in a list: who reads the process's memory finds every span, and so every block.

constexpr std::size_t region_bytes = std::size_t(1) << 20;
constexpr std::size_t span_bytes = std::size_t(32) << 10;
constexpr unsigned spans_in_region = region_bytes / span_bytes;

/// What a span is that serves no size.
constexpr std::uint16_t no_class = 0xffff;

struct PoolSpan {
    PoolSpan* next;  // of those of its class that have a block to give
    PoolSpan* previous;
    PoolBlock* home;  // the free blocks that came back to the span: not those in a thread's list or in a batch
    std::uint16_t size_class;
    std::uint16_t capacity;
    std::uint16_t carved;    // the first so many blocks have been given out before
    std::uint16_t returned;  // how many are in `home`
};

struct PoolRegion {
    PoolRegion* next;  // of all
    PoolRegion* previous;
    PoolRegion* next_with_room;
    PoolRegion* previous_with_room;
    std::uint32_t empty;     // a bit for each span: has no class
    std::uint32_t resident;  // has the system's memory behind it
    PoolSpan spans[spans_in_region];
};
static_assert(spans_in_region == 32);

/// Hands out spans, and gives those that nobody uses back to the system. Whoever calls has the depot's lock.
class PoolRegions {
public:
    /// A span for that class, or null if the system has no more memory.
    PoolSpan* take(std::uint16_t size_class, std::size_t block_bytes) noexcept;
    void give_back(PoolSpan& span) noexcept;

    /// Gives unused memory back to the system until no more than so much is left; but not much more than `at_most` now.
    void trim(std::size_t most_unused, std::size_t at_most) noexcept;

    PoolRegion* first() const noexcept { return all_; }
    std::size_t used_bytes() const noexcept { return used_; }
    std::size_t unused_bytes() const noexcept { return unused_; }

    static PoolRegion& region_of(void* inside) noexcept {
        return *reinterpret_cast<PoolRegion*>(reinterpret_cast<std::uintptr_t>(inside) & ~(region_bytes - 1));
    }
    static PoolSpan& span_of(PoolBlock* block) noexcept {
        return region_of(block).spans[(reinterpret_cast<std::uintptr_t>(block) & (region_bytes - 1)) / span_bytes];
    }
    static char* first_block(PoolSpan& span) noexcept;

private:
    struct List {  // of regions that have a span to give
        PoolRegion* first = nullptr;
        PoolRegion* last = nullptr;
        void push_front(PoolRegion& region) noexcept;
        void push_back(PoolRegion& region) noexcept;
        void remove(PoolRegion& region) noexcept;
    };

    PoolRegion* map() noexcept;
    bool unmap(PoolRegion& region) noexcept;
    void discard_unused(PoolRegion& region) noexcept;
    List* list_for(const PoolRegion& region) noexcept;
    void change(PoolRegion& region, std::uint32_t empty, std::uint32_t resident) noexcept;

    PoolRegion* all_ = nullptr;
    List warm_;  // with a span that is empty and resident; regions that are empty altogether come last
    List cold_;
    std::size_t used_ = 0;      // by spans of a class
    std::size_t unused_ = 0;    // by spans that are empty and resident
    std::size_t stubborn_ = 0;  // with less unused than this it is in vain to try again: the system did not want it
};

}  // namespace asyncio::detail
