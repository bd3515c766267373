#pragma once

#include "image.h"
#include "memory.h"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

using WaitKind = asyncio::inspect::Wait;

/// A frame of a coroutine, as the program's constants name it.
struct Place {
    std::string function;
    std::string file;
    std::uint32_t line = 0;
};

enum class State : std::uint8_t {
    fresh,    // its coroutine has not begun
    running,  // its step is under way
    ready,    // goes on in the loop's next pass
    waiting,
    changing,  // it was never the same while it was looked at
};

struct Wait {
    WaitKind kind = WaitKind::nothing;
    bool is_gone = false;  // what it waits for was destroyed
    int fd = -1;           // or the number of a process
    unsigned doing = 0;    // with the descriptor: not said, reads, writes, waits for its end
    Address waiter = 0;    // which wait it is
    Address subject = 0;
    std::string name;                    // that the program gave the subject, or nothing
    bool has_deadline = false;           // a time-out will cancel it; noted where it may be in a circle
    std::optional<double> seconds_left;  // of a sleep, or before a timeout ends the wait
    std::optional<std::size_t> holder;   // the task that has the lock
    std::uint64_t owner = 0;             // the same as the lock knows it; it may be over
    const Place* taken_at = nullptr;
    std::int64_t numbers[3] = {};  // of a queue: items, most, unfinished; of a semaphore: free
};

struct Task {
    Address address = 0;
    std::uint64_t identity = 0;
    std::string name;
    State state = State::changing;
    std::uint8_t callbacks_are_cut : 1 = 0;
    unsigned cancels = 0;
    std::size_t loop = 0;
    std::size_t hidden_frames = 0;    // in the middle of the stack, which are left out
    std::vector<const Place*> stack;  // the outermost first
    Wait wait;
    std::vector<std::size_t> awaits;  // tasks for whose end it waits
    std::vector<std::size_t> awaited_by;
};

struct Loop {
    Address address = 0;
    const Image* image = nullptr;
    Thread thread;
    bool is_running = false;
    bool is_closed = false;
    bool is_whole = true;  // false: its list of tasks changed too fast to be read to the end
    std::uint64_t passes = 0;
    std::size_t first_task = 0;
    std::size_t end_of_tasks = 0;
};

struct Snapshot {
    std::string title;
    int pid = 0;
    std::vector<Image> images;
    std::vector<Loop> loops;  // the oldest first
    std::vector<Task> tasks;  // of the first loop, then of the next
    std::deque<Place> places;
    std::deque<std::string> notes;  // what the user should know of this look
};

/// How much of a process is looked at, whatever it says it has.
struct Limits {
    std::size_t loops = 10'000;
    std::size_t tasks = 4'000'000;
    std::size_t changing = 100'000;   // of those
    std::size_t frames = 32'000'000;  // of all tasks
    std::size_t frames_of_one = 1'000'000;
    std::size_t callbacks = 16'000'000;
    std::size_t places = 200'000;
    std::size_t repairs = 20'000;  // of a list that changes while it is read
    double seconds = 30;
};

Snapshot take_snapshot(Memory& memory, const Limits& limits = {});

/// In words: what it waits for, and who would wake it. Empty if it does not wait.
std::string text_of_wait(const Snapshot& snapshot, const Task& task, const Memory* memory);
/// Each circle of tasks that wait for each other.
std::vector<std::vector<std::size_t>> find_circles(const Snapshot& snapshot);
const char* name_of(State state);
const char* name_of(WaitKind kind);

}  // namespace inspect
