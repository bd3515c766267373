#pragma once

#include <cstddef>
#include <list>
#include <string>

namespace asyncio::detail {

/// A connection's records that the transport below has no room for, in the order in which they go out. In pieces: one
/// string that grows would be copied again and again, and be new memory each time.
class WaitingRecords {
public:
    bool empty() const noexcept { return pieces_.empty(); }
    std::size_t size() const noexcept { return size_; }
    void append(std::string&& piece);
    std::string take_first() noexcept;
    void clear() noexcept;

private:
    std::list<std::string> pieces_;  // of which an empty one is small
    std::size_t size_ = 0;
};

/// Memory for records, from what the thread keeps; an empty string if it has none. The largest of them.
std::string room_for_records() noexcept;
/// Has the thread keep it for the next who asks, unless it is too large or there is enough.
void keep_room(std::string&& used) noexcept;

}  // namespace asyncio::detail
