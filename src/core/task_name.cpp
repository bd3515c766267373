#include <asyncio/core/task_base.h>

#include <atomic>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

// assign_number() is in task_base.cpp, which makes numbers in line where tasks begin.

struct TaskName::BornText : TaskName::Text, Pooled {
    BornText(std::uintptr_t whose, const Birthplace& where) noexcept : Text{{}, whose, false, true}, place(where) {}
    Birthplace place;
};

TaskName::~TaskName() {
    if ((word_ & 1U) == 0) drop(reinterpret_cast<Text*>(word_));
}

void TaskName::drop(Text* text) noexcept {
    if (text != nullptr && text->is_born) {
        delete static_cast<BornText*>(text);
    } else {
        delete text;
    }
}

void TaskName::note_birthplace(const Birthplace& place) noexcept {
    Text* former = is_number() ? nullptr : &text();
    Text* born = nullptr;
    try {
        born = new BornText(identity(), place);
    } catch (const std::bad_alloc&) {
        return;
    }
    if (former != nullptr) {
        born->name.swap(former->name);
        born->is_named = true;
    }
    word_ = reinterpret_cast<std::uintptr_t>(born);
    drop(former);
}

const Birthplace* TaskName::birthplace_or_null() const noexcept {
    if (word_ == 0 || is_number() || !text().is_born) return nullptr;
    return &static_cast<const BornText&>(text()).place;
}

void TaskName::forget_birthplace() noexcept {
    if (word_ == 0 || is_number() || !text().is_born || text().is_named) return;
    auto* born = static_cast<BornText*>(&text());
    word_ = born->identity;
    delete born;
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
        text().is_named = true;
    }
}

std::string TaskName::str() const {
    if (word_ == 0) return {};
    if (const std::string* name = text_or_null()) return *name;
    return "Task-" + std::to_string(number());
}

}  // namespace asyncio::detail
