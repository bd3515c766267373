#pragma once

#include <asyncio/asyncio.h>
#include <asyncio/introspect.h>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <source_location>
#include <string>
#include <utility>

#include "detail/threads.h"
#include "introspect/plain_text.h"

namespace support {

inline std::string deadlock_here(asyncio::Coro<> main, std::source_location here) {
    try {
        asyncio::run(std::move(main), {.on_deadlock = asyncio::OnDeadlock::raise});
    } catch (const asyncio::DeadlockError& error) {
        return plain(error.what(), here);
    }
    return "none";
}

/// What run() throws, plainly, where nothing can go on; in a child of its own.
inline std::string deadlock_in_child(asyncio::Coro<> main,
                                     std::source_location here = std::source_location::current()) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        std::string text = deadlock_here(std::move(main), here);
        static_cast<void>(::write(ends[1], text.data(), text.size()));
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char part[4096];
    for (ssize_t size = 0; (size = ::read(ends[0], part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(size));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return text;
}

/// The same, in a child only where another test has left a thread: with one nothing is certain.
inline std::string deadlock_of(asyncio::Coro<> main, std::source_location here = std::source_location::current()) {
    if (asyncio::detail::is_only_thread()) return deadlock_here(std::move(main), here);
    return deadlock_in_child(std::move(main), here);
}

}  // namespace support
