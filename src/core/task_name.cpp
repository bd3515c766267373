#include <asyncio/core/task_base.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

// assign_number() is in task_base.cpp, which makes numbers in line where tasks begin.

TaskName::~TaskName() {
    if ((word_ & 1U) == 0) delete reinterpret_cast<Text*>(word_);
}

void TaskName::assign(std::string_view name) {
    static std::atomic<std::uintptr_t> texts = 0;
    std::string copy(name);
    if (word_ == 0) {
        std::uintptr_t identity = (texts.fetch_add(1, std::memory_order_relaxed) + 1) << 1;
        word_ = reinterpret_cast<std::uintptr_t>(new Text{std::move(copy), identity});
    } else if ((word_ & 1U) != 0) {
        word_ = reinterpret_cast<std::uintptr_t>(new Text{std::move(copy), word_});
    } else {
        text().name = std::move(copy);
    }
}

std::string TaskName::str() const {
    if (word_ == 0) return {};
    if ((word_ & 1U) == 0) return text().name;
    return "Task-" + std::to_string(word_ >> 1);
}

}  // namespace asyncio::detail
