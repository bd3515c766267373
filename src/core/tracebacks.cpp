#include "core/tracebacks.h"

#include "detail/fork_aware.h"
#include "errors/derived_group.h"

#include <asyncio/core/context_of.h>
#include <asyncio/core/traceback.h>
#include <asyncio/errors/log.h>

#include <cxxabi.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace asyncio::detail {

struct TracebackEntry {
    TracebackEntry(void* the_object, void (*the_destructor)(void*)) noexcept
        : object(the_object), destructor(the_destructor) {}

    void* const object;
    void (*const destructor)(void*);  // the exception's own; null where it needs none
    TracebackEntry* next = nullptr;
    TracebackLines traceback;
    const FutureBase* future = nullptr;  // the latest that is no task and has ended with it, for comparing only,
    std::size_t lines_of_future = 0;     // and how many lines there were then
    std::exception_ptr context;
    std::uint64_t number_of_context = 0;
    std::vector<std::string> notes;
};

namespace {

std::atomic<std::uint64_t> noted_contexts = 0;

/// What stands before each thrown object, by the Itanium C++ ABI that g++ and clang follow. Nothing else tells of the
/// end of an exception, which may outlive its task, its loop and its thread.
struct ThrownHeader {
    std::type_info* type;
    void (*destructor)(void*);
    void* handlers[2];
    void* next;
#ifdef __ARM_EABI_UNWINDER__
    int handler_count;
    void* next_propagating;
    int propagation_count;
#else
    int handler_state[2];
    void* handler[4];
#endif
    _Unwind_Exception unwinding;
};

void* object_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof(std::exception_ptr) == sizeof(void*));
    void* object;
    __builtin_memcpy(&object, &error, sizeof object);  // all that one holds, in libstdc++ and in libc++
    return object;
}
ThrownHeader& header_of(void* object) noexcept { return static_cast<ThrownHeader*>(object)[-1]; }

/// The entries, by the addresses of their exceptions. Nothing of it needs a destructor: exceptions may die at any time.
class TracebackTable {
public:
    class Bucket {
    public:
        explicit Bucket(TracebackEntry*& first) noexcept : first_(first), lock_(fork_safe_mutex_of(&first)) {}
        TracebackEntry* find(void* object) const noexcept {
            TracebackEntry* entry = first_;
            while (entry != nullptr && entry->object != object) entry = entry->next;
            return entry;
        }
        void add(TracebackEntry& entry) noexcept { entry.next = std::exchange(first_, &entry); }
        void remove(TracebackEntry& entry) noexcept {
            TracebackEntry** place = &first_;
            while (*place != &entry) place = &(*place)->next;
            *place = entry.next;
        }

    private:
        TracebackEntry*& first_;
        std::lock_guard<std::mutex> lock_;
    };

    TracebackEntry*& place_of(void* object) noexcept {
        return first_[reinterpret_cast<std::uintptr_t>(object) / 64 % size];
    }
    template <class F>
    void for_each(F&& call) noexcept {
        for (TracebackEntry*& first : first_) {
            std::lock_guard lock(fork_safe_mutex_of(&first));
            for (TracebackEntry* entry = first; entry != nullptr; entry = entry->next) call(*entry);
        }
    }

private:
    static constexpr std::size_t size = 4096;
    TracebackEntry* first_[size];
};

constinit TracebackTable all_tracebacks{};
enum class TracebackUse : unsigned char { unused, in_use, over };
constinit std::atomic<TracebackUse> traceback_use = TracebackUse::unused;
constinit std::terminate_handler former_terminate_handler = nullptr;

/// In the place of the exception's own destructor.
void destroy_with_traceback(void* object) {
    TracebackEntry* entry = nullptr;
    {
        TracebackTable::Bucket bucket(all_tracebacks.place_of(object));
        entry = bucket.find(object);
        bucket.remove(*entry);
    }
    if (entry->destructor != nullptr) entry->destructor(object);
    // With it dies its context, perhaps, and the context of that: one after the other, without a deep stack.
    static thread_local TracebackEntry* dying = nullptr;
    static thread_local bool at_it = false;
    entry->next = std::exchange(dying, entry);
    if (std::exchange(at_it, true)) return;
    while (dying != nullptr) delete std::exchange(dying, dying->next);
    at_it = false;
}

bool has_entry(void* object) noexcept {
    return traceback_use.load(std::memory_order_acquire) != TracebackUse::unused && object != nullptr &&
           __atomic_load_n(&header_of(object).destructor, __ATOMIC_ACQUIRE) == &destroy_with_traceback;
}

/// `call(entry)`, locked, if the exception has one.
template <class F>
void with_entry(const std::exception_ptr& error, F&& call) {
    void* object = object_of(error);
    if (!has_entry(object)) return;
    TracebackTable::Bucket bucket(all_tracebacks.place_of(object));
    if (TracebackEntry* entry = bucket.find(object)) call(*entry);
}

void begin_tracebacks() noexcept {
    TracebackUse expected = TracebackUse::unused;
    if (!traceback_use.compare_exchange_strong(expected, TracebackUse::in_use)) return;
    former_terminate_handler = std::set_terminate(&terminate_with_traceback);
    note_derived_group.store(&derive_traceback, std::memory_order_release);
}

/// At the end of the program, or of the module: exceptions may outlive our code.
struct EndOfTracebacks {
    ~EndOfTracebacks() {
        if (traceback_use.exchange(TracebackUse::over) != TracebackUse::in_use) return;
        note_derived_group.store(nullptr, std::memory_order_release);
        if (std::get_terminate() == &terminate_with_traceback) std::set_terminate(former_terminate_handler);
        all_tracebacks.for_each([](TracebackEntry& entry) {
            __atomic_store_n(&header_of(entry.object).destructor, entry.destructor, __ATOMIC_RELEASE);
        });
    }
};
const EndOfTracebacks end_of_tracebacks;

}  // namespace

namespace {

/// The entry of an exception of this type, made if there is none.
TracebackEntry* entry_of(const std::exception_ptr& error, const std::type_info* type) noexcept {
    void* object = object_of(error);
    if (has_entry(object)) return TracebackTable::Bucket(all_tracebacks.place_of(object)).find(object);
    ThrownHeader& header = header_of(object);
    if (header.type != type) return nullptr;  // it is not laid out as we know it
    begin_tracebacks();
    if (traceback_use.load(std::memory_order_acquire) == TracebackUse::over) return nullptr;
    // Another thread that has the same exception may be at it, too: the lock tells below who was first.
    auto* made = new (std::nothrow) TracebackEntry(object, __atomic_load_n(&header.destructor, __ATOMIC_ACQUIRE));
    if (made == nullptr) return nullptr;
    TracebackEntry* other = nullptr;
    {
        TracebackTable::Bucket bucket(all_tracebacks.place_of(object));
        other = bucket.find(object);
        if (other == nullptr) {
            bucket.add(*made);
            __atomic_store_n(&header.destructor, &destroy_with_traceback, __ATOMIC_RELEASE);
        }
    }
    if (other == nullptr) return made;
    delete made;
    return other;
}

const std::type_info* type_that_was_thrown(const std::exception_ptr& error) noexcept {
#ifdef __GLIBCXX__
    return error.__cxa_exception_type();
#else
    try {
        std::rethrow_exception(error);
    } catch (...) {
        return abi::__cxa_current_exception_type();
    }
#endif
}

}  // namespace

TracebackEntry* traceback_of_handled(const std::exception_ptr& error) noexcept {
    return entry_of(error, abi::__cxa_current_exception_type());
}

NotedContext noted_context(const std::exception_ptr& error) noexcept {
    NotedContext context;
    with_entry(error, [&](const TracebackEntry& entry) { context = {entry.context, entry.number_of_context}; });
    return context;
}

std::uint64_t count_of_contexts() noexcept { return noted_contexts; }

void note_context(const std::exception_ptr& error, std::exception_ptr context) noexcept {
    TracebackEntry* entry = entry_of(error, type_that_was_thrown(error));
    if (entry == nullptr) return;
    std::lock_guard lock(fork_safe_mutex_of(&all_tracebacks.place_of(entry->object)));
    std::swap(entry->context, context);  // what was noted dies without the lock
    entry->number_of_context = ++noted_contexts;
}

void note_text(const std::exception_ptr& error, std::string_view text) noexcept {
    try {
        std::string note(text);
        TracebackEntry* entry = entry_of(error, type_that_was_thrown(error));
        if (entry == nullptr) return;
        std::lock_guard lock(fork_safe_mutex_of(&all_tracebacks.place_of(entry->object)));
        entry->notes.push_back(std::move(note));
    } catch (const std::bad_alloc&) {
    }
}

std::vector<std::string> noted_texts(const std::exception_ptr& error) {
    std::vector<std::string> notes;
    with_entry(error, [&](const TracebackEntry& entry) { notes = entry.notes; });
    return notes;
}

void add_traceback_line(TracebackEntry& entry, const FramePlace& place) noexcept {
    std::lock_guard lock(fork_safe_mutex_of(&all_tracebacks.place_of(entry.object)));
    std::vector<TracebackLine>& lines = entry.traceback.lines;
    if (lines.size() == TracebackLines::most) {
        lines.erase(lines.begin() + TracebackLines::kept);
        ++entry.traceback.left_out;
    }
    try {
        lines.push_back({place});
    } catch (const std::bad_alloc&) {
    }
}

void end_traceback_of_task(const std::exception_ptr& error, const TaskBase& task) noexcept {
    try {
        with_entry(error, [&](TracebackEntry& entry) {
            std::vector<TracebackLine>& lines = entry.traceback.lines;
            if (lines.empty() || lines.back().task) return;
            using OfTask = TracebackLine::OfTask;
            lines.back().task = std::make_shared<const OfTask>(OfTask{task.identity(), task.name()});
        });
    } catch (const std::bad_alloc&) {
    }
}

void end_traceback_of_future(const std::exception_ptr& error, const FutureBase& future) noexcept {
    with_entry(error, [&](TracebackEntry& entry) {
        entry.future = &future;
        entry.lines_of_future = entry.traceback.lines.size();
    });
}

void begin_traceback_at(const std::exception_ptr& error, const FutureBase& future) noexcept {
    with_entry(error, [&](TracebackEntry& entry) {
        std::vector<TracebackLine>& lines = entry.traceback.lines;
        std::size_t size = lines.size();
        if (future.kind() == FutureBase::Kind::task) {
            std::uintptr_t identity = static_cast<const TaskBase&>(future).identity();
            auto last = std::find_if(lines.rbegin(), lines.rend(), [&](const TracebackLine& line) {
                return line.task && line.task->identity == identity;
            });
            if (last != lines.rend()) size = static_cast<std::size_t>(lines.rend() - last);
        } else if (entry.future == &future) {
            size = std::min(size, entry.lines_of_future);
        }
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(size), lines.end());
    });
}

TracebackLines traceback_lines(const std::exception_ptr& error) {
    TracebackLines result;
    with_entry(error, [&](const TracebackEntry& entry) { result = entry.traceback; });
    return result;
}

void derive_traceback(const void* whole, const std::exception_ptr& part) noexcept {
    TracebackLines lines;
    NotedContext context;
    std::vector<std::string> notes;
    try {
        void* object = const_cast<void*>(whole);
        TracebackTable::Bucket bucket(all_tracebacks.place_of(object));
        const TracebackEntry* from = bucket.find(object);
        if (from == nullptr) return;
        lines = from->traceback;
        context = {from->context, from->number_of_context};
        notes = from->notes;
    } catch (const std::bad_alloc&) {
        return;
    }
    TracebackEntry* to = entry_of(part, type_that_was_thrown(part));
    if (to == nullptr) return;
    std::lock_guard lock(fork_safe_mutex_of(&all_tracebacks.place_of(to->object)));
    std::swap(to->traceback, lines);
    std::swap(to->context, context.error);
    std::swap(to->notes, notes);
    to->number_of_context = context.number;
}

void terminate_with_traceback() noexcept {
    std::set_terminate(former_terminate_handler);  // should this fail, too
    try {
        std::exception_ptr error = std::current_exception();
        if (error && (!traceback_lines(error).lines.empty() || !noted_texts(error).empty())) {
            std::string text = format_exception(error);
            text.pop_back();
            log(LogLevel::error, text);
        }
    } catch (...) {
    }
    if (former_terminate_handler != nullptr) former_terminate_handler();
    std::abort();
}

}  // namespace asyncio::detail
