#pragma once

#include <cstddef>

namespace faults {

/// What can be made to fail.
enum class Kind {
    allocation,         ///< `operator new` on the thread that set the fault
    thread_allocation,  ///< ... on any other thread
    backend_call,       ///< a call of the loop's I/O backend
    system_call,        ///< a call of the system, with the errors that it is known for
    system_call_again,  ///< ... with its second-best known error
    interruption,       ///< ... with what it says when a signal came
    waiting,            ///< the call by which a backend waits, with an error that nobody knows
    refusal,            ///< the kernel takes no request of an io_uring for now
};

/// From now on the events of a kind are counted, and number `first` fails; or that one and all that follow.
void set(Kind kind, long first, bool all_that_follow) noexcept;
/// Nothing fails any more. Whether anything did.
bool clear() noexcept;
/// Asked at each event: whether it is to fail.
bool is_due(Kind kind) noexcept;
/// Whether all that follow fail, too.
bool is_for_ever() noexcept;
/// Each fault that strikes prints its stack (under AddressSanitizer).
void print_stacks() noexcept;

/// While it lives nothing fails and nothing is counted on this thread: for what belongs to the test.
class Pause {
public:
    Pause() noexcept;
    ~Pause();
    Pause(const Pause&) = delete;
};

/// How many blocks of `operator new` are alive.
long live_allocations() noexcept;
/// How many descriptors are open.
int open_descriptors();

}  // namespace faults
