#pragma once

#include <asyncio/core/event_loop.h>
#include <asyncio/core/task.h>
#include <asyncio/tasks/sleep.h>
#include <asyncio/tasks/wait.h>

#include <chrono>
#include <regex>
#include <string>
#include <string_view>

namespace support {

/// What stands behind `wait_for=` while the body waits, with ADDRESS for each address.
template <class Body>
asyncio::Coro<std::string> said_of(Body body, asyncio::Seconds after = std::chrono::milliseconds(1)) {
    asyncio::Task<> task = asyncio::create_task(body);
    co_await asyncio::sleep(after);
    std::string text = repr(task);
    task.cancel();
    co_await asyncio::wait(task);
    constexpr std::string_view begin = " wait_for=";
    auto place = text.find(begin);
    if (place == text.npos) co_return text;
    text = text.substr(place + begin.size());
    text.pop_back();  // the bracket of the task
    co_return std::regex_replace(text, std::regex("0x[0-9a-f]+"), "ADDRESS");
}

/// The same, without the line that follows.
template <class Body>
asyncio::Coro<std::string> said_without_line(Body body, asyncio::Seconds after = std::chrono::milliseconds(1)) {
    std::string text = co_await said_of(body, after);
    co_return text.substr(0, text.rfind(" at "));
}

}  // namespace support
