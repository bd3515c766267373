#include "core/blocked_thread.h"

#include "core/task_loop.h"
#include "loop/signal_thread.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>

namespace asyncio::detail {
namespace {

/// A text that needs no memory; what has no room is left out.
class TextForSignals {
public:
    void add(const char* text) noexcept { add(text, std::strlen(text)); }
    void add(const char* text, std::size_t size) noexcept {
        size = std::min(size, sizeof text_ - size_);
        std::memcpy(text_ + size_, text, size);
        size_ += size;
    }
    void add_number(std::uintptr_t number) noexcept {
        char digits[24];
        char* first = digits + sizeof digits;
        do {
            *--first = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        add(first, static_cast<std::size_t>(digits + sizeof digits - first));
    }
    /// What may not be there, to its end or that far.
    void add_safely(const char* text, std::size_t most) noexcept {
        constexpr std::uintptr_t page = 4096;
        while (most > 0) {
            char part[64];
            std::uintptr_t left_in_page = page - reinterpret_cast<std::uintptr_t>(text) % page;
            std::size_t size = std::min({most, sizeof part, static_cast<std::size_t>(left_in_page)});
            if (!read_safely(text, part, size)) return add("?");
            std::size_t length = ::strnlen(part, size);
            add(part, length);
            if (length < size) return;
            text += size;
            most -= size;
        }
    }
    void write() noexcept { write_to_stderr(text_, size_); }

private:
    char text_[4096];
    std::size_t size_ = 0;
};

void add_name(TextForSignals& text, const TaskBase& task) noexcept {
    const TaskName& name = task.kept_name();
    text.add("'");
    if (const std::string* kept = name.text_or_null()) {
        constexpr std::size_t longest = 200;
        text.add_safely(kept->data(), std::min(kept->size(), longest));
    } else if (std::uintptr_t number = name.number(); number != 0) {
        text.add("Task-");
        text.add_number(number);
    }
    text.add("'");
}

void add_place(TextForSignals& text, const FramePlace& place) noexcept {
    constexpr std::size_t longest = 300;
    std::uintptr_t probe[3];  // what a source_location points to, in both compilers
    bool is_there = true;
    for (const std::source_location* location : {&place.function, &place.await_at}) {
        const void* data;
        static_assert(sizeof data == sizeof *location);
        std::memcpy(&data, location, sizeof data);
        is_there = is_there && data != nullptr && read_safely(data, probe, sizeof probe);
    }
    text.add("      ");
    if (!is_there) return text.add("?\n");
    text.add_safely(place.await_at.file_name(), longest);
    text.add(":");
    text.add_number(place.await_at.line());
    text.add(" in ");
    text.add_safely(place.function.function_name(), longest);
    text.add("\n");
}

/// Of the innermost frame first. It may be that one is just being made or destroyed.
void add_frames(TextForSignals& text, const TaskBase& task) noexcept {
    std::coroutine_handle<> frame = task.innermost();
    for (int i = 0; i < 20 && frame; ++i) {
        alignas(PromiseBase) unsigned char copy[sizeof(PromiseBase)];
        if (!read_safely(&PromiseBase::of(frame), copy, sizeof copy)) return text.add("      ?\n");
        const auto& promise = *reinterpret_cast<const PromiseBase*>(copy);
        add_place(text, {promise.function(), promise.has_failed() ? promise.function() : promise.await_at()});
        const CoroLink* link = promise.link();
        if (link == nullptr) return;
        if (!read_safely(&link->parent, &frame, sizeof frame)) return text.add("      ?\n");
    }
    if (frame) text.add("      ...\n");
}

}  // namespace

void write_what_this_thread_runs() noexcept {
    TextForSignals text;
    LoopCore* loop = running_core_or_null();
    TaskBase* task = loop != nullptr ? task_loop(*loop).current_task : nullptr;
    if (loop == nullptr) {
        text.add("  it runs no loop\n");
    } else if (task == nullptr) {
        text.add("  it runs a callback, or the loop itself\n");
    } else {
        text.add("  it runs task ");
        add_name(text, *task);
        text.add(", whose coroutines are, the innermost first:\n");
        add_frames(text, *task);
    }
    text.write();
}

}  // namespace asyncio::detail
