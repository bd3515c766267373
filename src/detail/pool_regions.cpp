#include "detail/pool_regions.h"

#include "detail/system_memory.h"

#include <algorithm>
#include <bit>
#include <new>

namespace asyncio::detail {

namespace {

constexpr std::uint32_t all_spans = 0xffffffff;
constexpr std::size_t header_bytes = (sizeof(PoolRegion) + pool_granule - 1) / pool_granule * pool_granule;
static_assert(header_bytes < span_bytes / 16);

unsigned index_of(PoolSpan& span) noexcept {
    return static_cast<unsigned>(&span - PoolRegions::region_of(&span).spans);
}

std::size_t bytes_of_spans(std::uint32_t bits) noexcept {
    return static_cast<std::size_t>(std::popcount(bits)) * span_bytes;
}

/// Those of the spans that make whole pages. On most systems a page is smaller than a span.
std::uint32_t in_whole_pages(std::uint32_t spans) noexcept {
    std::size_t in_page = memory_page_bytes() / span_bytes;
    if (in_page <= 1) return spans;
    if (in_page >= spans_in_region) return 0;
    std::uint32_t whole = 0;
    for (std::size_t i = in_page; i < spans_in_region; i += in_page) {  // the region's description is in the first page
        std::uint32_t page = ((std::uint32_t(1) << in_page) - 1) << i;
        if ((spans & page) == page) whole |= page;
    }
    return whole;
}

}  // namespace

void PoolRegions::List::push_front(PoolRegion& region) noexcept {
    region.previous_with_room = nullptr;
    region.next_with_room = first;
    (first != nullptr ? first->previous_with_room : last) = &region;
    first = &region;
}

void PoolRegions::List::push_back(PoolRegion& region) noexcept {
    region.next_with_room = nullptr;
    region.previous_with_room = last;
    (last != nullptr ? last->next_with_room : first) = &region;
    last = &region;
}

void PoolRegions::List::remove(PoolRegion& region) noexcept {
    PoolRegion* next = region.next_with_room;
    PoolRegion* previous = region.previous_with_room;
    (previous != nullptr ? previous->next_with_room : first) = next;
    (next != nullptr ? next->previous_with_room : last) = previous;
}

char* PoolRegions::first_block(PoolSpan& span) noexcept {
    unsigned index = index_of(span);
    return reinterpret_cast<char*>(&region_of(&span)) + (index == 0 ? header_bytes : index * span_bytes);
}

PoolRegions::List* PoolRegions::list_for(const PoolRegion& region) noexcept {
    if (region.empty == 0) return nullptr;
    return (region.empty & region.resident) != 0 ? &warm_ : &cold_;
}

void PoolRegions::change(PoolRegion& region, std::uint32_t empty, std::uint32_t resident) noexcept {
    List* before = list_for(region);
    unused_ -= bytes_of_spans(region.empty & region.resident);
    region.empty = empty;
    region.resident = resident;
    unused_ += bytes_of_spans(region.empty & region.resident);
    List* after = list_for(region);
    bool is_last_to_fill = empty == all_spans;
    if (before == after && !is_last_to_fill) return;
    if (before != nullptr) before->remove(region);
    if (after == nullptr) return;
    if (is_last_to_fill) {
        after->push_back(region);
    } else {
        after->push_front(region);
    }
}

PoolRegion* PoolRegions::map() noexcept {
    void* memory = map_memory(region_bytes);
    if (memory == nullptr) return nullptr;
    auto* region = new (memory) PoolRegion{};
    for (PoolSpan& span : region->spans) span.size_class = no_class;
    region->empty = all_spans;
    cold_.push_front(*region);
    region->next = all_;
    if (all_ != nullptr) all_->previous = region;
    all_ = region;
    return region;
}

bool PoolRegions::unmap(PoolRegion& region) noexcept {
    std::size_t unused = bytes_of_spans(region.resident);
    List* list = list_for(region);
    list->remove(region);
    PoolRegion* next = region.next;
    PoolRegion* previous = region.previous;
    if (!unmap_memory(&region, region_bytes)) {
        list->push_back(region);
        return false;
    }
    (previous != nullptr ? previous->next : all_) = next;
    if (next != nullptr) next->previous = previous;
    unused_ -= unused;
    return true;
}

void PoolRegions::discard_unused(PoolRegion& region) noexcept {
    std::uint32_t discarded = 0;
    for (std::uint32_t left = in_whole_pages(region.empty & region.resident); left != 0;) {  // run by run
        auto begin = static_cast<unsigned>(std::countr_zero(left));
        auto end = begin + static_cast<unsigned>(std::countr_one(left >> begin));
        std::uint32_t run = (all_spans >> (spans_in_region - (end - begin))) << begin;
        char* memory = first_block(region.spans[begin]);
        char* memory_end = reinterpret_cast<char*>(&region) + end * span_bytes;
        if (!discard_memory(memory, static_cast<std::size_t>(memory_end - memory))) break;
        discarded |= run;
        left &= ~run;
    }
    change(region, region.empty, region.resident & ~discarded);
}

PoolSpan* PoolRegions::take(std::uint16_t size_class, std::size_t block_bytes) noexcept {
    PoolRegion* region = warm_.first != nullptr ? warm_.first : cold_.first;
    if (region == nullptr) region = map();
    if (region == nullptr) return nullptr;
    std::uint32_t candidates = region->empty & region->resident;
    if (candidates == 0) candidates = region->empty;
    std::uint32_t chosen = candidates & ~(candidates - 1);
    change(*region, region->empty & ~chosen, region->resident | chosen);
    used_ += span_bytes;
    PoolSpan& span = region->spans[std::countr_zero(chosen)];
    std::size_t bytes = (chosen & 1U) != 0 ? span_bytes - header_bytes : span_bytes;
    span = {};
    span.size_class = size_class;
    span.capacity = static_cast<std::uint16_t>(bytes / block_bytes);
    return &span;
}

void PoolRegions::give_back(PoolSpan& span) noexcept {
    span.size_class = no_class;
    used_ -= span_bytes;
    PoolRegion& region = region_of(&span);
    change(region, region.empty | 1U << index_of(span), region.resident);
}

void PoolRegions::trim(std::size_t most_unused, std::size_t at_most) noexcept {
    if (unused_ < stubborn_) return;
    std::size_t aim = unused_ > at_most ? std::max(most_unused, unused_ - at_most) : most_unused;
    for (PoolRegion* region = warm_.last; region != nullptr && unused_ > aim;) {
        PoolRegion* previous = region->previous_with_room;
        if (region->empty != all_spans || !unmap(*region)) discard_unused(*region);
        region = previous;
    }
    stubborn_ = unused_ > aim ? unused_ + region_bytes : 0;
}

}  // namespace asyncio::detail
