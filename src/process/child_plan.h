#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace asyncio::detail {

/// All that a child does before it is its program, in memory that the child only reads.
struct ChildPlan {
    const char* const* arguments = nullptr;    // null at the end, as in execve()
    const char* const* environment = nullptr;  // the same
    const char* const* programs = nullptr;     // the same; to be tried one after the other
    const char* directory = nullptr;           // or null: its parent's
    int streams[3] = {-1, -1, -1};             // what becomes its 0, 1 and 2; -1: its parent's
    bool close_others = true;                  // but for those up to 2, and:
    std::span<const int> passed;               // from 3 on, in order
    bool restore_signals = true;
    bool start_new_session = false;
    pid_t process_group = -1;  // -1: its parent's; 0: one of its own
    std::optional<mode_t> umask;
    std::optional<uid_t> user;
    std::optional<gid_t> group;
    std::optional<std::span<const gid_t>> extra_groups;

    bool changes_user() const noexcept { return user || group || extra_groups; }
};

/// Where a child came to its end before it was its program.
struct ChildFailure {
    enum class Step : int { none, preparing, directory, program };
    Step step = Step::none;
    int error = 0;
};

/// What the function of a new child is given. It may run in the memory of its parent, whose thread is suspended
/// meanwhile.
struct ChildStart {
    const ChildPlan& plan;
    const sigset_t& signal_mask;      // which it will have
    std::uint64_t signals_to_ignore;  // a bit for each
    ChildFailure* failure;
};

/// Becomes the program; returns only by ending the process, and then `failure` says why. All signals are blocked. It
/// calls nothing but the system: no lock may be taken, no memory be allocated, and no handler run.
int become_program(void* child_start) noexcept;

}  // namespace asyncio::detail
