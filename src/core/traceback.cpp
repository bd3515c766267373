// An exception as it is printed, with the awaits that it has crossed.
#include <asyncio/core/traceback.h>

#include "core/past_place.h"
#include "core/stack_text.h"
#include "core/tracebacks.h"

#include <asyncio/core/context_of.h>
#include <asyncio/core/stack.h>
#include <asyncio/errors/exception_group.h>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {
namespace {

/// What throw_with_nested() threw is of a type of the standard library's own.
std::string type_name_of(const std::exception_ptr& error) {
    std::string name = type_name(error);
    for (std::string_view wrapper : {"std::_Nested_exception<", "std::__nested<", "std::__1::__nested<"}) {
        if (!name.starts_with(wrapper) || !name.ends_with('>')) continue;
        name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
        if (name.starts_with("asyncio::")) name.erase(0, 9);
    }
    return name;
}

std::string last_line_of(const std::exception_ptr& error) {
    if (!error) return "NoneType: None\n";
    std::string said;
    if (const auto* group = exception_cast<BaseExceptionGroup>(error)) {
        std::size_t count = group->exceptions().size();
        said = group->message() + " (" + std::to_string(count) + (count == 1 ? " sub-exception)" : " sub-exceptions)");
    } else {
        said = str(error);
    }
    std::string text = type_name_of(error) + (said.empty() ? "" : ": " + said) + "\n";
    const auto* cancelled = exception_cast<CancelledError>(error);
    if (cancelled == nullptr) return text;
    detail::PastSource at(cancelled->requested_at());
    if (at.line != 0) {
        text += "cancelled " +
                (cancelled->requested_by().empty() ? "" : "by " + detail::quoted(cancelled->requested_by()) + " ") +
                "at " + at.file + ":" + std::to_string(at.line) + "\n";
    }
    return text;
}

/// The lines behind the head; none: the exception crossed no await.
std::string lines_of(const detail::TracebackLines& traceback) {
    constexpr std::size_t shown_of_repeated = 3;
    std::string text;
    std::string last;
    std::size_t repeated = 0;
    auto end_repetition = [&] {
        if (repeated > shown_of_repeated) {
            std::size_t more = repeated - shown_of_repeated;
            text +=
                "  [Previous line repeated " + std::to_string(more) + (more == 1 ? " more time]\n" : " more times]\n");
        }
        repeated = 0;
    };
    for (std::size_t i = traceback.lines.size(); i-- > 0;) {
        if (traceback.left_out > 0 && i + 1 == detail::TracebackLines::kept) {
            end_repetition();
            text += "  [" + std::to_string(traceback.left_out) + " lines are left out]\n";
            last.clear();
        }
        const detail::TracebackLine& line = traceback.lines[i];
        StackEntry entry = detail::past_stack_entry(line.place);
        std::string here = entry.file + ":" + std::to_string(entry.line) + entry.function;
        std::string of_task = line.task ? ", task " + detail::quoted(line.task->name) : "";
        here += of_task;
        if (here != last) end_repetition();
        if (++repeated <= shown_of_repeated) text += detail::text_of_entry(entry, of_task);
        last = std::move(here);
    }
    end_repetition();
    return text;
}

std::string notes_below(const std::exception_ptr& error) {
    std::string text;
    for (const std::string& note : detail::noted_texts(error)) text += note + "\n";
    return text;
}

/// Whether it is worth telling with what was thrown from it.
std::exception_ptr cause_of(const std::exception_ptr& error) {
    if (const auto* nested = exception_cast<std::nested_exception>(error)) return nested->nested_ptr();
    const auto* timeout = exception_cast<TimeoutError>(error);
    if (timeout == nullptr || !timeout->cause()) return nullptr;
    bool has_lines = !detail::traceback_lines(timeout->cause()).lines.empty();
    return has_lines || !detail::noted_texts(timeout->cause()).empty() ? timeout->cause() : nullptr;
}

class ExceptionText {
public:
    explicit ExceptionText(const std::exception_ptr& error) { add_with_causes(error); }
    std::string text;

private:
    static constexpr std::size_t widest = 15;
    static constexpr std::size_t deepest = 10;
    static constexpr std::size_t longest_chain = 100;

    struct Link {
        std::exception_ptr error;
        bool is_cause;  // or else the context
    };

    void add_with_causes(const std::exception_ptr& error) {
        std::vector<Link> chain{{error, false}};
        while (chain.size() < longest_chain) {
            Link next{cause_of(chain.back().error), true};
            if (!next.error) next = {context_of(chain.back().error), false};
            if (!next.error) break;
            chain.push_back(std::move(next));
        }
        while (!chain.empty()) {
            Link link = std::move(chain.back());
            chain.pop_back();
            add(link.error);
            if (chain.empty()) break;
            add_lines(link.is_cause ? "\nThe above exception was the direct cause of the following exception:\n\n"
                                    : "\nDuring handling of the above exception, another exception occurred:\n\n");
        }
    }

    void add(const std::exception_ptr& error) {
        const auto* group = exception_cast<BaseExceptionGroup>(error);
        if (group != nullptr && depth_ > deepest) return add_lines("... (max_group_depth is 10)\n");
        std::string lines = lines_of(detail::traceback_lines(error));
        if (group == nullptr) {
            if (!lines.empty()) add_lines("Traceback (most recent call last):\n");
            add_lines(lines + last_line_of(error) + notes_below(error));
            return;
        }
        bool is_outermost = depth_ == 0;
        if (is_outermost) ++depth_;
        constexpr const char* head = "Exception Group Traceback (most recent call last):\n";
        if (!lines.empty()) is_outermost ? void(text += margin() + "+ " + head) : add_lines(head);
        add_lines(lines + last_line_of(error) + notes_below(error));
        add_members(group->exceptions());
        if (is_outermost) depth_ = 0;
    }

    void add_members(const std::vector<std::exception_ptr>& members) {
        needs_end_ = false;
        for (std::size_t i = 0; i < members.size() && i <= widest; ++i) {
            bool is_last = i == widest || i + 1 == members.size();
            if (is_last) needs_end_ = true;  // an inner group may draw the same line
            std::string title = i < widest ? std::to_string(i + 1) : "...";
            text += margin() + (i == 0 ? "+-" : "  ") + "+---------------- " + title + " ----------------\n";
            ++depth_;
            if (i < widest) {
                add_with_causes(members[i]);
            } else {
                std::size_t more = members.size() - widest;
                add_lines("and " + std::to_string(more) + (more == 1 ? " more exception\n" : " more exceptions\n"));
            }
            if (is_last && std::exchange(needs_end_, false)) {
                text += margin() + "+------------------------------------\n";
            }
            --depth_;
        }
    }

    std::string margin() const { return std::string(2 * depth_, ' '); }
    void add_lines(std::string_view lines) {
        if (depth_ == 0) {
            text += lines;
            return;
        }
        while (!lines.empty()) {
            std::size_t end = lines.find('\n') + 1;
            text += margin() + "| ";
            text += lines.substr(0, end);
            lines.remove_prefix(end);
        }
    }

    std::size_t depth_ = 0;  // of groups
    bool needs_end_ = false;
};

}  // namespace

std::string format_exception(const std::exception_ptr& error) { return ExceptionText(error).text; }

void print_exception(const std::exception_ptr& error, std::FILE* file) {
    std::string text = format_exception(error);
    std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace asyncio
