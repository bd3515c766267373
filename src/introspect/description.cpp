#include "core/description.h"

#include "core/task_loop.h"
#include "loop/all_loops.h"

#include <asyncio/core/executor_call.h>
#include <asyncio/core/object_name.h>
#include <asyncio/core/task_deadline.h>
#include <asyncio/core/wait_queue.h>
#include <asyncio/core/waiter.h>
#include <asyncio/sync/lock.h>
#include <asyncio/sync/queue.h>
#include <asyncio/sync/semaphore.h>
#include <asyncio/tasks/as_completed.h>
#include <asyncio/tasks/gather.h>
#include <asyncio/tasks/shield.h>
#include <asyncio/tasks/staggered_race.h>
#include <asyncio/tasks/task_group.h>
#include <asyncio/tasks/wait.h>
#include <asyncio/version.h>

#include <bit>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <source_location>
#include <string>
#include <string_view>

// Both compilers know where the members of our classes are, though they need not.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace asyncio::detail {

using inspect::Description;
using inspect::FutureCallback;

struct Waiter::Layout {
    static void describe(Description::Doing& to) noexcept {
        to.shift = std::endian::native == std::endian::little ? 6 : 0;
        to.mask = 0x3;
    }
    static void describe(Description::Waiter& to) noexcept {
        to.task = offsetof(Waiter, task_);
        to.state = offsetof(Waiter, state_);
        to.kind = offsetof(Waiter, subject_at_) - 1;
        to.kind_shift = std::endian::native == std::endian::little ? 1 : 2;
        to.kind_mask = 0x1f;
        to.subject_at = offsetof(Waiter, subject_at_);
        to.fd = offsetof(Waiter, fd_);
    }
};
struct Gathering::Layout {
    static constexpr std::size_t outer = offsetof(Gathering, outer_);
};
struct Shield::Layout {
    static constexpr ReadyNode::Run outer_is_done = &Shield::outer_is_done;
    static constexpr std::size_t shield = offsetof(Shield::OuterDone, shield);
    static constexpr std::size_t inner = offsetof(Shield, inner_);
};
struct Race::Layout {
    static constexpr std::size_t waiter = offsetof(Race, waiter_);
};

static_assert(static_cast<int>(WaitKind::several) == static_cast<int>(inspect::Wait::several) &&
              static_cast<int>(WaitKind::queue) == static_cast<int>(inspect::Wait::queue) &&
              static_cast<int>(WaitKind::foreign) == static_cast<int>(inspect::Wait::foreign));

/// A friend of the classes that are described.
struct InspectLayout {
    static constexpr std::uint16_t pointer = sizeof(void*);

    /// An object that is not there: only addresses in it are asked for.
    template <class T>
    static T* nothing() noexcept {
        alignas(T) static unsigned char place[sizeof(T)];
        return reinterpret_cast<T*>(place);
    }
    static std::uint16_t distance(const void* from, const void* to) noexcept {
        return static_cast<std::uint16_t>(static_cast<const char*>(to) - static_cast<const char*>(from));
    }
    template <class T, class Base>
    static std::uint16_t base_at() noexcept {
        return distance(nothing<T>(), static_cast<Base*>(nothing<T>()));
    }
    static std::uint16_t promise_at() noexcept {
        struct Frame {
            alignas(16) char bytes[64];
        };
        void* frame = nothing<Frame>();
        return distance(frame, &std::coroutine_handle<PromiseBase>::from_address(frame).promise());
    }

    static constexpr inspect::StringLayout strings =
#if defined(_LIBCPP_VERSION) && !defined(_LIBCPP_ABI_ALTERNATE_STRING_LAYOUT)
        std::endian::native == std::endian::little ? inspect::StringLayout::short_in_place
                                                   : inspect::StringLayout::other;
#elif defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
        inspect::StringLayout::pointer_and_size;
#else
        inspect::StringLayout::other;
#endif

    static std::uint64_t number(const void* address) noexcept { return reinterpret_cast<std::uintptr_t>(address); }
    static void add(Description& to, ReadyNode::Run run, FutureCallback::LeadsTo leads_to, std::size_t first,
                    std::size_t second) noexcept {
        if (to.callback_count == std::size(to.callbacks)) std::terminate();  // as soon as there is one more
        FutureCallback& callback = to.callbacks[to.callback_count++];
        callback.run = reinterpret_cast<std::uintptr_t>(run);
        callback.leads_to = leads_to;
        callback.at[0] = static_cast<std::uint16_t>(first);
        callback.at[1] = static_cast<std::uint16_t>(second);
    }

    static void describe_callbacks(Description& to) noexcept {
        using enum FutureCallback::LeadsTo;
        std::uint16_t node = base_at<TaskBase, ReadyNode>();
        add(to, &TaskBase::step_node, task, node, 0);
        add(to, &Waiter::run_turn, task, node, 0);
        add(to, &GatherChild::is_done, future, offsetof(GatherChild, gathering_), Gathering::Layout::outer);
        add(to, &GroupMember::task_is_done, task_of, offsetof(GroupMember, group_), offsetof(TaskGroup, parent_));
        add(to, &WaitNode::is_done, task_of_waiter, offsetof(WaitNode, awaiter_), inspect::unknown);
        add(to, &Completions::is_done, waiters, offsetof(Completions::Item, owner), offsetof(Completions, waiters_));
        add(to, &Racer::task_is_done, task_of_waiter, offsetof(Racer, race_), Race::Layout::waiter);
        add(to, &TaskDeadline::expire, deadline, offsetof(TaskDeadline, task_), 0);
        add(to, Shield::Layout::outer_is_done, inner, Shield::Layout::shield, Shield::Layout::inner);
        add(to, &ExecutorCall::future_is_done, thread, 0, 0);
    }

    static void describe_loop(Description& to) noexcept {
        to.loops = number(&all_loops.first_);
        auto timers = static_cast<std::uint16_t>(offsetof(TaskLoop, timers_));
        to.loop = {
            .next = offsetof(TaskLoop, next_loop_),
            .thread = offsetof(TaskLoop, thread_),
            .is_running = offsetof(TaskLoop, running_),
            .is_closed = offsetof(TaskLoop, closed_),
            .passes = offsetof(TaskLoop, passes_),
            .current_task = offsetof(TaskLoop, current_task),
            .tasks = offsetof(TaskLoop, live_tasks),
            .last_time = static_cast<std::uint16_t>(timers + offsetof(Timers, last_)),
            .timers = static_cast<std::uint16_t>(timers + offsetof(Timers, heap_) + offsetof(TimerHeap, entries_)),
            .clock = static_cast<std::uint16_t>(timers + offsetof(Timers, clock_)),
            .monotonic = static_cast<std::uint16_t>(timers + offsetof(Timers, monotonic_)),
        };
        to.timer = {.bytes = sizeof(TimerHeap::Entry),
                    .when = offsetof(TimerHeap::Entry, when),
                    .node = offsetof(TimerHeap::Entry, node)};
    }

    static void describe_task(Description& to) noexcept {
        to.list = {.next = 0, .previous = pointer};
        to.future = {.loop = offsetof(TaskBase, loop_),
                     .state = offsetof(TaskBase, state_),
                     .kind = offsetof(TaskBase, kind_),
                     .callbacks = offsetof(TaskBase, callbacks_)};
        to.node = {.run = offsetof(ReadyNode, run_)};
        to.task = {.links = base_at<TaskBase, ListHook<LiveTasks>>(),
                   .node = base_at<TaskBase, ReadyNode>(),
                   .timer_index = offsetof(TaskBase, heap_index_),
                   .cancels = offsetof(TaskBase, cancels_requested_),
                   .phase = offsetof(TaskBase, phase_),
                   .name = offsetof(TaskBase, name_),
                   .text = offsetof(TaskName::Text, name),
                   .identity = offsetof(TaskName::Text, identity),
                   .innermost = offsetof(TaskBase, innermost_),
                   .waiter = offsetof(TaskBase, waiter_)};
    }

    static void describe_waiting(Description& to) noexcept {
        std::uint16_t promise = promise_at();
        to.frame = {.task = static_cast<std::uint16_t>(promise + offsetof(PromiseBase, task_)),
                    .link = static_cast<std::uint16_t>(promise + offsetof(PromiseBase, link_)),
                    .function = static_cast<std::uint16_t>(promise + offsetof(PromiseBase, function_)),
                    .await_at = static_cast<std::uint16_t>(promise + offsetof(PromiseBase, place_or_error_)),
                    .parent = offsetof(CoroLink, parent)};
        static_assert(sizeof(std::source_location) == sizeof(void*));
        to.place = {.file = 0, .function = pointer, .line = 2 * pointer};
        Waiter::Layout::describe(to.waiter);
        Waiter::Layout::describe(to.doing);
        to.waiter.line = base_at<QueueWaiter, ListHook<WaitQueue>>();
        to.lock = {.owner = offsetof(Lock, owner_), .taken_at = offsetof(Lock, taken_at_)};
        to.semaphore = {.value = offsetof(Semaphore, value_)};
        to.queue = {.size = offsetof(QueueBase, size_),
                    .maxsize = offsetof(QueueBase, maxsize_),
                    .unfinished = offsetof(QueueBase, unfinished_)};
    }

    static Description describe() noexcept {
        Description to = {};
        to.version = inspect::version;
        to.size = sizeof(Description);
        to.pointer_bytes = pointer;
        to.is_little_endian = std::endian::native == std::endian::little ? 1 : 0;
        to.strings = strings;
        to.library_version = number(version());
        describe_loop(to);
        describe_task(to);
        describe_waiting(to);
        describe_callbacks(to);
        to.name = {.newest = distance(&all_loops.first_, &all_loops.first_name_),
                   .next = offsetof(ObjectName, next_),
                   .object = offsetof(ObjectName, object_),
                   .text = offsetof(ObjectName, text_)};
        std::string_view("asyncio").copy(to.magic, sizeof to.magic);
        return to;
    }
};

}  // namespace asyncio::detail

// Not constant: a core file has what may be written to, and need not have the rest.
extern "C" {
[[gnu::used, gnu::visibility("hidden")]] asyncio::inspect::Description asyncio_inspect_description =
    asyncio::detail::InspectLayout::describe();
extern __attribute__((alias("asyncio_inspect_description"), visibility("default")))
asyncio::inspect::Description asyncio_inspect_v1;
}

#ifdef __ELF__
// Linkers keep notes, strip leaves them, and they lie in the first page of a file, which core files have.
asm(".pushsection .note.asyncio, \"a\", %note\n"
    ".balign 4\n"
    ".long 8\n"
    ".long 4\n"
    ".long 1\n"
    ".asciz \"asyncio\"\n"
    ".long asyncio_inspect_description - .\n"
    ".popsection\n");
#endif
