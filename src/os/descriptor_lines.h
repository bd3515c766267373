#pragma once

#include <asyncio/loop/io_backend.h>

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace asyncio::detail {

/// One direction of a descriptor: the operations that wait for it, first come, first served.
struct DescriptorLine {
    IoOperation::Line line;
    bool ready = false;  ///< as far as is known, the first would have an outcome now

    bool must_wait(const IoOperation& operation) const noexcept { return !line.empty() && !operation.goes_on; }
    void add(IoOperation& operation) noexcept {
        if (operation.goes_on) return add_first(operation);
        line.push_back(operation);
    }

private:
    void add_first(IoOperation& operation) noexcept;
};

/// A backend's descriptors by their number. What is in it never moves.
template <class Descriptor>
class DescriptorTable {
public:
    Descriptor* find(int fd) const noexcept {
        auto index = static_cast<std::size_t>(fd);  // a negative one is larger than any
        return index < table_.size() ? table_[index].get() : nullptr;
    }
    /// Throws std::bad_alloc.
    Descriptor& make(int fd) {
        auto index = static_cast<std::size_t>(fd);
        if (index >= table_.size()) table_.resize(index + 1);
        if (!table_[index]) table_[index] = std::make_unique<Descriptor>();
        return *table_[index];
    }
    template <class Function>
    void for_each(Function function) {
        for (std::size_t fd = 0; fd < table_.size(); ++fd) {
            if (table_[fd]) function(static_cast<int>(fd), *table_[fd]);
        }
    }

private:
    std::vector<std::unique_ptr<Descriptor>> table_;
};

/// Whether so many more fit, after having asked for memory if they do not.
bool make_room(std::vector<IoEvent>& events, std::size_t count) noexcept;
inline bool has_room(std::vector<IoEvent>& events, std::size_t count = 1) noexcept {
    return events.capacity() - events.size() >= count || make_room(events, count);
}

/// When there was no room for all: who waits for ever for memory must not wait unheard.
void check_some_are_told(const std::vector<IoEvent>& events);

/// The operations that are to be named by the next `wait()`.
class Reports {
public:
    bool empty() noexcept { return pending_.empty(); }
    void add(IoOperation& operation) noexcept {
        if (operation.reported) return;
        operation.reported = true;
        pending_.push_back(operation);
    }
    void add_first(DescriptorLine& direction) noexcept {
        if (direction.ready && !direction.line.empty()) add(direction.line.front());
    }
    /// Names them all. Without memory for that, what is left is named by the next wait; without any, it throws.
    void move_to(std::vector<IoEvent>& events) {
        while (!pending_.empty() && has_room(events)) {
            events.push_back({.operation = &static_cast<IoOperation&>(pending_.pop_front())});
        }
        if (!pending_.empty()) check_some_are_told(events);
    }
    /// Ends the operations of a descriptor that is no more what they wait for. Until it is collected or cancelled, each
    /// of them is in a line still: it knows the backend.
    void close(DescriptorLine& direction) noexcept;
    /// The backend is about to die.
    static void orphan(IoOperation::Line& line) noexcept;
    void orphan_closed() noexcept { orphan(closed_); }

private:
    ReadyList pending_;
    IoOperation::Line closed_;
};

}  // namespace asyncio::detail
