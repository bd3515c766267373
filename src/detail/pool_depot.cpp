#include "detail/pool_depot.h"

#include "detail/system_memory.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <type_traits>

namespace asyncio::detail {

static_assert(std::is_trivially_destructible_v<PoolDepot>);
constinit PoolDepot pool_depot;

namespace {

// Another thread may have the lock at a fork(), and the child does not have that thread.
[[maybe_unused]] const bool fork_is_safe = [] {
    auto after = [] { pool_depot.after_fork(); };
    return call_at_fork([] { pool_depot.before_fork(); }, after, after);
}();

// If the library is a plugin's and is unloaded, nothing of it stays. Harmless at the end of a program: what is used
// after that works.
[[gnu::destructor]] void give_all_back_at_unload() { pool_depot.give_all_back(); }

/// Makes blocks of memory that never was one, in the order of their addresses.
PoolBlock* carve(char* memory, std::size_t bytes, std::uint32_t count, PoolBlock* before) noexcept {
    for (char* block = memory + count * bytes; block != memory;) {
        block -= bytes;
        before = new (block) PoolBlock{before};
    }
    return before;
}

}  // namespace

void PoolDepot::link(PoolSpan& span) noexcept {
    PoolSpan*& first = giving_[span.size_class];
    span.previous = nullptr;
    span.next = first;
    if (first != nullptr) first->previous = &span;
    first = &span;
}

void PoolDepot::unlink(PoolSpan& span) noexcept {
    (span.previous != nullptr ? span.previous->next : giving_[span.size_class]) = span.next;
    if (span.next != nullptr) span.next->previous = span.previous;
}

PoolBatch PoolDepot::take(std::uint16_t size_class, std::uint32_t wanted) noexcept {
    std::size_t bytes = block_bytes(size_class);
    PoolBatch batch;
    char* fresh = nullptr;
    std::uint32_t fresh_count = 0;
    {
        std::lock_guard guard(lock_);
        if (wanted > 1 && stored_[size_class] != nullptr) return take_stored(size_class);
        while (batch.count < wanted && fresh_count == 0) {
            PoolSpan* span = giving_[size_class];
            if (span == nullptr) {
                if (batch.count == 0) span = new_span(size_class);
                if (span == nullptr) return batch;
            }
            while (span->home != nullptr && batch.count < wanted) {
                PoolBlock* block = span->home;
                span->home = block->next;
                --span->returned;
                block->next = batch.head;
                batch.head = block;
                ++batch.count;
                free_bytes_ -= bytes;
            }
            fresh_count = std::min<std::uint32_t>(span->capacity - span->carved, wanted - batch.count);
            fresh = PoolRegions::first_block(*span) + span->carved * bytes;
            span->carved = static_cast<std::uint16_t>(span->carved + fresh_count);
            if (span->home == nullptr && span->carved == span->capacity) unlink(*span);
        }
    }
    batch.head = carve(fresh, bytes, fresh_count, batch.head);
    batch.count += fresh_count;
    return batch;
}

PoolSpan* PoolDepot::new_span(std::uint16_t size_class) noexcept {
    std::size_t unused = regions_.unused_bytes();
    PoolSpan* span = regions_.take(size_class, block_bytes(size_class));
    if (regions_.unused_bytes() == unused) note_cold_span();
    while (span == nullptr && stored_count_ != 0) {  // in what is kept for others there may be a span as well
        bring_home_stored_batches();
        if (giving_[size_class] != nullptr) return giving_[size_class];
        span = regions_.take(size_class, block_bytes(size_class));
    }
    if (span != nullptr) link(*span);
    return span;
}

PoolBatch PoolDepot::take_stored(std::uint16_t size_class) noexcept {
    StoredBatch* batch = stored_[size_class];
    stored_[size_class] = batch->next_batch;
    --stored_count_;
    std::uint32_t count = full_batch(size_class);
    free_bytes_ -= count * block_bytes(size_class);
    return {batch, count};
}

void PoolDepot::put(std::uint16_t size_class, PoolBatch batch) noexcept {
    if (batch.head == nullptr) return;
    std::lock_guard guard(lock_);
    free_bytes_ += batch.count * block_bytes(size_class);
    if (batch.count == full_batch(size_class) && size_class != cache_class && !is_frugal()) {
        auto* stored = static_cast<StoredBatch*>(batch.head);
        stored->next_batch = stored_[size_class];
        stored_[size_class] = stored;
        ++stored_count_;
    } else {
        bring_all_home(size_class, batch.head);
    }
    keep_house();
}

void PoolDepot::keep_house() noexcept {
    if (kept_ > least_kept && now_() - last_regret_ > memory) kept_ = least_kept;
    std::size_t used = regions_.used_bytes();
    bool frugal = is_frugal();
    if (frugal) {
        bring_home_stored_batches();
        frugal = free_bytes_ > std::max(kept_ / 2, used / 4);
    } else {
        frugal = free_bytes_ > std::max(kept_, used / 2);
    }
    frugal_.store(frugal, std::memory_order_relaxed);
    trim();
}

void PoolDepot::trim() noexcept {
    std::size_t unused = regions_.unused_bytes();
    std::size_t most = std::max(kept_, regions_.used_bytes() / 2);
    std::size_t aim = most - most / 4;
    trimming_ = unused > (trimming_ ? aim : most);
    if (!trimming_) return;
    regions_.trim(aim, region_bytes);
    std::size_t given = unused - regions_.unused_bytes();
    if (given == 0) return;
    given_to_system_ += given;
    last_given_ = now_();
}

void PoolDepot::note_cold_span() noexcept {
    if (given_to_system_ < span_bytes || kept_ >= most_kept) return;
    given_to_system_ -= span_bytes;
    Clock::time_point now = now_();
    if (now - last_given_ > memory) {
        given_to_system_ = 0;
    } else {
        kept_ += span_bytes;
        last_regret_ = now;
    }
}

inline void PoolDepot::bring_home(std::uint16_t size_class, PoolBlock& block) noexcept {
    PoolSpan& span = PoolRegions::span_of(&block);
    if (span.home == nullptr && span.carved == span.capacity) link(span);
    block.next = span.home;
    span.home = &block;
    if (++span.returned != span.carved) return;
    unlink(span);
    free_bytes_ -= span.carved * block_bytes(size_class);
    regions_.give_back(span);
}

void PoolDepot::bring_all_home(std::uint16_t size_class, PoolBlock* blocks) noexcept {
    while (blocks != nullptr) {
        PoolBlock* next = blocks->next;
        bring_home(size_class, *blocks);
        blocks = next;
    }
}

/// Several in turn: what has lain here is in no cache, so that each block is waited for; those of several batches come
/// at the same time. And not more, for somebody waits.
void PoolDepot::bring_home_stored_batches() noexcept {
    struct {
        PoolBlock* blocks;
        std::uint16_t size_class;
    } batches[4];
    std::size_t count = 0;
    while (count < std::size(batches) && stored_count_ != 0) {
        while (stored_[next_stored_] == nullptr)
            next_stored_ = static_cast<std::uint16_t>((next_stored_ + 1) % cache_class);
        StoredBatch* batch = stored_[next_stored_];
        stored_[next_stored_] = batch->next_batch;
        --stored_count_;
        batches[count++] = {batch, next_stored_};
    }
    while (count != 0) {
        for (std::size_t i = 0; i < count;) {
            PoolBlock* block = batches[i].blocks;
            batches[i].blocks = block->next;
            bring_home(batches[i].size_class, *block);
            if (batches[i].blocks != nullptr) {
                ++i;
            } else {
                batches[i] = batches[--count];
            }
        }
    }
}

void PoolDepot::give_all_back() noexcept {
    std::lock_guard guard(lock_);
    while (stored_count_ != 0) bring_home_stored_batches();
    regions_.trim(0, regions_.unused_bytes());
}

std::size_t PoolDepot::reserved_bytes() noexcept {
    std::lock_guard guard(lock_);
    return regions_.used_bytes() + regions_.unused_bytes();
}

}  // namespace asyncio::detail
