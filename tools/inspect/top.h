#pragma once

#include "snapshot.h"

#include <string>
#include <unordered_map>

namespace inspect {

struct TopOptions {
    bool once = false;
    int interval = 1;       // seconds
    std::size_t lines = 0;  // of tasks; 0: what the terminal has room for
};

/// What `top` knows from the looks before: since when each task stands in the wait in which it stands, and how far each
/// loop had come.
class History {
public:
    /// `now` in seconds.
    void add(const Snapshot& snapshot, double now);
    /// How long at least it waits as it does.
    double waited(const Task& task) const;
    /// How many passes and how much of a processor since the look before; negative: there was none.
    double passes_per_second(const Loop& loop) const;
    double cpu_share(const Loop& loop) const;

private:
    struct Seen {
        Address waiter;
        double since;
        double look;
    };
    struct Progress {
        std::uint64_t passes;
        double cpu_seconds;
        double passes_per_second;
        double cpu_share;
        double look;
    };
    std::unordered_map<std::uint64_t, Seen> tasks_;
    std::unordered_map<Address, Progress> loops_;
    double now_ = 0;
};

std::string draw_top(const Snapshot& snapshot, const History& history, const Memory* memory, std::size_t lines,
                     std::size_t width);
int run_top(Memory& memory, const TopOptions& options, const Limits& limits);

}  // namespace inspect
