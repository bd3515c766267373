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
    /// Names them all.
    void move_to(std::vector<IoEvent>& events) {
        while (!pending_.empty()) events.push_back({.operation = &static_cast<IoOperation&>(pending_.pop_front())});
    }
    /// Ends the operations of a descriptor that is no more what they wait for.
    void close(DescriptorLine& direction) noexcept;
    /// The backend is about to die.
    static void orphan(DescriptorLine& direction) noexcept;

private:
    ReadyList pending_;
};

}  // namespace asyncio::detail
