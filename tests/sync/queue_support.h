#pragma once

#include "sync/sync_support.h"

#include <asyncio/sync/queue.h>
#include <asyncio/tasks/ensure_future.h>

#include <string>

namespace support {

/// `maxsize=1 _queue=[2] tasks=1`: what a queue says of itself.
template <class Queue>
std::string shown(const Queue& queue) {
    std::string text = str(queue);
    std::size_t begin = text.find(' ') + 1;
    return text.substr(begin, text.size() - begin - 1);
}

/// Takes one item, and notes how that ended.
inline asyncio::Coro<> get_as(std::string name, asyncio::Queue<int>& queue, Trace& trace) {
    try {
        int item = co_await queue.get();
        trace(name, item, shown(queue));
    } catch (...) {
        trace(name, caught(), shown(queue));
    }
}

/// Puts the code of its name, and notes how that ended.
inline asyncio::Coro<> put_as(std::string name, asyncio::Queue<int>& queue, Trace& trace) {
    try {
        co_await queue.put(name[0]);
        trace(name, "put", shown(queue));
    } catch (...) {
        trace(name, caught(), shown(queue));
    }
}

template <class Queue>
asyncio::Coro<> put_all(Queue& queue, int count) {
    for (int i = 0; i < count; ++i) co_await queue.put(i);
}

}  // namespace support
