#include "tls/waiting_records.h"

#include "detail/kept_by_thread.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

namespace asyncio::detail {

namespace {

constexpr std::size_t record_room = 16 * 1024;
constexpr std::size_t most_kept_room = 72 * 1024;  // four records
constexpr std::size_t most_rooms = 8;              // what one connection has waiting by default: 512 KiB

/// The smallest first.
using Rooms = std::vector<std::string>;

}  // namespace

std::string room_for_records() noexcept {
    Rooms* rooms = KeptByThread<Rooms>::get_or_null();
    if (rooms == nullptr || rooms->empty()) return {};
    std::string room = std::move(rooms->back());
    rooms->pop_back();
    return room;
}

void keep_room(std::string&& used) noexcept {
    Rooms* rooms = KeptByThread<Rooms>::get_or_null();
    std::string room = std::move(used);
    if (rooms == nullptr || room.capacity() > most_kept_room || room.capacity() <= std::string().capacity()) return;
    if (room.capacity() < record_room && !rooms->empty()) return;  // one of that kind is enough
    room.clear();
    try {
        rooms->reserve(most_rooms + 1);
    } catch (const std::bad_alloc&) {
        return;
    }
    auto larger = std::find_if(rooms->begin(), rooms->end(),
                               [&](const std::string& kept) { return kept.capacity() > room.capacity(); });
    rooms->insert(larger, std::move(room));
    if (rooms->size() > most_rooms) rooms->erase(rooms->begin());
}

void WaitingRecords::append(std::string&& piece) {
    std::string& last = pieces_.emplace_back();
    last = std::move(piece);
    size_ += last.size();
}

std::string WaitingRecords::take_first() noexcept {
    std::string first = std::move(pieces_.front());
    pieces_.pop_front();
    size_ -= first.size();
    return first;
}

void WaitingRecords::clear() noexcept {
    pieces_.clear();
    size_ = 0;
}

}  // namespace asyncio::detail
