#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>

#include <string>
#include <string_view>

#include "faults/faults.h"

namespace faults {

/// A program that is run with one fault after the other.
struct Program {
    const char* name;
    asyncio::Coro<> (*main)();
    /// It has ended by then, in virtual time, whatever fails.
    asyncio::Seconds limit = 60;
    bool real_time = false;  ///< by the system's clock instead: for threads that wait for the loop
};

/// Notes what a program found wrong with itself.
void expect(bool is_right, std::string_view what);

/// Whether the calls of the system may fail in this run, and what they were to do is not done.
bool calls_may_fail() noexcept;

/// Runs the program again and again: each event of the kind fails once, or from each on until the program has ended.
/// Gives what went wrong: nothing, if every time the program ended in time, without terminating, with the right outcome
/// or with a bad_alloc, an OSError or a report, and left neither memory nor a descriptor behind.
std::string sweep(const Program& program, std::string_view backend, Kind kind, bool all_that_follow);

}  // namespace faults
