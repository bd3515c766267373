#pragma once

#include <cstdint>

/// What every program that has the library carries for those who read its memory from outside, and can call nothing in
/// it: another process, a debugger, the reader of a core file. It says where what lies.
///
/// Found by an ELF note of the name `asyncio`, which is 4 bytes: how far behind them the description is. Or by its
/// symbol, `asyncio_inspect_v1`. All offsets are bytes; `unknown` where this build of the library has no such thing.
///
/// A new member goes to the end. What changes the meaning of one that is there counts `version` up.
namespace asyncio::inspect {

inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t note_type = 1;
inline constexpr std::uint16_t unknown = 0xffff;

/// How the C++ library keeps a std::string.
enum class StringLayout : std::uint8_t {
    other,
    pointer_and_size,  // libstdc++
    short_in_place,    // libc++: the lowest bit of the first byte is 0: 7 bits of size, then text; else capacity, size,
                       // pointer
};

/// The kinds of wait, as the library's WaitKind numbers them.
enum class Wait : std::uint8_t {
    nothing,
    future,
    task,
    gathering,
    sleep,
    group,
    several,
    lock,
    event,
    condition,
    semaphore,
    barrier,
    queue,
    server,
    file_descriptor,
    process,
    thread,
    foreign,
};

/// What a callback on a future leads to, by the function that it calls.
struct FutureCallback {
    enum class LeadsTo : std::uint16_t {
        task,            // it is the node of a task that waits: the task is at[0] before it
        future,          // at[0] in it, a pointer; at[1] in that, a pointer to a future, which others wait for
        task_of,         // at[0] in it, a pointer; at[1] in that, a pointer to a task, or null
        task_of_waiter,  // at[0] in it, a pointer; at[1] in that, a pointer to a wait, or null; or that is the wait
                         // (unknown)
        waiters,         // at[0] in it, a pointer; at[1] in that, a list of nodes of tasks that wait
        inner,           // at[0] in it, a pointer; at[1] in that, a pointer to the future for which this one stands
        deadline,        // no callback, but a timer; at[0] in it, a pointer to the task that it will cancel
        thread,          // what ends the future is a call on another thread
    };
    std::uint64_t run;
    LeadsTo leads_to;
    std::uint16_t at[2];
    std::uint16_t reserved;
};

struct Description {
    char magic[8];  // "asyncio" and a zero
    std::uint32_t version;
    std::uint32_t size;  // of this
    std::uint8_t pointer_bytes;
    std::uint8_t is_little_endian;
    StringLayout strings;
    std::uint8_t callback_count;
    std::uint32_t reserved;
    std::uint64_t loops;            // where the pointer to the newest loop is
    std::uint64_t library_version;  // a text, as 0.2.0
    FutureCallback callbacks[10];

    struct Loop {
        std::uint16_t next;        // a pointer to an older loop
        std::uint16_t thread;      // 32 bits: who runs it or ran it last, as the system numbers threads; 0: nobody did
        std::uint16_t is_running;  // a byte
        std::uint16_t is_closed;   // a byte
        std::uint16_t passes;      // 64 bits: how many passes it has begun
        std::uint16_t current_task;  // a pointer, or null
        std::uint16_t tasks;         // a list of all that are not done
        std::uint16_t last_time;     // 64 bits: nanoseconds, as its clock said last
        std::uint16_t timers;        // pointers to the first and behind the last of its timers
        std::uint16_t clock;         // a pointer to its clock
        std::uint16_t monotonic;     // where that points to if it is CLOCK_MONOTONIC
    } loop;
    struct Timer {
        std::uint16_t bytes;  // of one
        std::uint16_t when;   // 64 bits: nanoseconds of the loop's clock
        std::uint16_t node;   // a pointer to the node, which knows its index
    } timer;
    struct List {
        std::uint16_t next;  // of the list's and each member's links
        std::uint16_t previous;
    } list;
    struct Future {
        std::uint16_t loop;
        std::uint16_t state;      // a byte: pending, finished, cancelled
        std::uint16_t kind;       // a byte: future, task, gathering
        std::uint16_t callbacks;  // a pointer to the first node's links, or null
    } future;
    struct Node {
        std::uint16_t run;  // from the links, which a node begins with: a pointer to a function
    } node;
    struct Task {
        std::uint16_t links;  // of the loop's list
        std::uint16_t node;
        std::uint16_t timer_index;  // 32 bits, all ones: none
        std::uint16_t cancels;      // 16 bits: Task.cancelling()
        std::uint16_t phase;        // a byte: not begun, runs, blocked, ended
        std::uint16_t name;         // a word: odd, twice a number; even, a pointer to a text
        std::uint16_t text;         // in that: a string
        std::uint16_t identity;     // in that: the word by which others know the task
        std::uint16_t innermost;    // a pointer to a frame, before the task ends
        std::uint16_t waiter;       // a pointer to the wait, if the phase is blocked; null: it is ready
    } task;
    struct Frame {
        std::uint16_t task;
        std::uint16_t link;      // a pointer to the link to who awaits it; null: the task's own
        std::uint16_t function;  // a place: where the coroutine is defined
        std::uint16_t await_at;  // a place: the line of its await; odd: it has failed
        std::uint16_t parent;    // in the link: a pointer to the frame that awaits
    } frame;
    struct Place {
        std::uint16_t file;      // a pointer to a text
        std::uint16_t function;  // the same: the whole signature
        std::uint16_t line;      // 32 bits
    } place;
    struct Waiter {
        std::uint16_t task;
        std::uint16_t state;  // a byte: pending, woken, cancelled
        std::uint16_t kind;   // a byte: WaitKind, shifted and masked
        std::uint16_t kind_shift;
        std::uint16_t kind_mask;
        std::uint16_t
            subject_at;      // a byte: words from here to a pointer to the subject; with 0x80, to the subject; 0: none
        std::uint16_t fd;    // 32 bits
        std::uint16_t line;  // links of one that waits in an object's line: not linked, the object is gone
    } waiter;
    struct Lock {
        std::uint16_t owner;     // a word: the identity of the task that has it
        std::uint16_t taken_at;  // a place
    } lock;
    struct Semaphore {
        std::uint16_t value;  // a word
    } semaphore;
    struct Queue {
        std::uint16_t size;
        std::uint16_t maxsize;
        std::uint16_t unfinished;
    } queue;
    struct Name {
        std::uint16_t newest;  // behind the pointer to the newest loop: one to the newest name; 0: there are no names
        std::uint16_t next;    // a pointer to an older one, or null
        std::uint16_t object;  // a pointer to what is called so
        std::uint16_t text;    // a string
    } name;
    /// What a wait for a descriptor is for, in the byte of its kind: 0: not said, to read, to write, to be closed.
    struct Doing {
        std::uint16_t shift;
        std::uint16_t mask;  // 0: nothing says it
    } doing;
};

}  // namespace asyncio::inspect

extern "C" {
extern asyncio::inspect::Description asyncio_inspect_description;  // each library's and program's own
extern asyncio::inspect::Description asyncio_inspect_v1;           // the same for debuggers
}
