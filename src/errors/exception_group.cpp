#include <asyncio/errors/exception_group.h>

#include "errors/derived_group.h"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace asyncio {
namespace detail {

/// What all copies of a group share. Immutable but for the text of `what()`, which is made when
/// first asked for.
class GroupState : public Pooled {
public:
    GroupState(std::string&& the_message, std::vector<std::exception_ptr>&& the_exceptions)
        : message(std::move(the_message)), exceptions(std::move(the_exceptions)) {}
    ~GroupState() { std::free(text_); }

    const std::string message;
    const std::vector<std::exception_ptr> exceptions;

    const char* text() noexcept {
        if (char* text = __atomic_load_n(&text_, __ATOMIC_ACQUIRE)) return text;
        char* made = nullptr;
        try {
            made = ::strdup(tree().c_str());
        } catch (...) {
        }
        if (made == nullptr) return message.c_str();  // no memory for more
        char* before = nullptr;
        if (__atomic_compare_exchange_n(&text_, &before, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return made;
        std::free(made);  // another thread was first
        return before;
    }

    void inc_ref() noexcept { __atomic_fetch_add(&references_, 1U, __ATOMIC_RELAXED); }
    void dec_ref() noexcept {
        if (__atomic_sub_fetch(&references_, 1U, __ATOMIC_ACQ_REL) == 0) destroy(this);
    }

private:
    /// Groups that are in others die one after the other, so that a deep tree needs no deep stack.
    static void destroy(GroupState* state) noexcept {
        static thread_local GroupState* dying = nullptr;
        static thread_local bool at_it = false;
        state->next_dying_ = dying;
        dying = state;
        if (at_it) return;
        at_it = true;
        while (dying != nullptr) {
            GroupState* next = dying;
            dying = next->next_dying_;
            delete next;
        }
        at_it = false;
    }

    std::string tree() const {
        std::size_t count = exceptions.size();
        std::string result =
            message + " (" + std::to_string(count) + (count == 1 ? " sub-exception)" : " sub-exceptions)");
        for (const std::exception_ptr& child : exceptions) {
            std::string name = type_name(child);
            std::string text;
            if (const auto* group = exception_cast<BaseExceptionGroup>(child)) {
                text = group->what();  // its own tree, which goes one level deeper
            } else {
                text = str(child);
            }
            result += "\n  " + name;
            if (!text.empty()) result += ": ";
            for (char character : text) {
                result += character;
                if (character == '\n') result += "  ";
            }
        }
        return result;
    }

    char* text_ = nullptr;
    GroupState* next_dying_ = nullptr;
    unsigned references_ = 1;
};

namespace {

void check_members(const std::vector<std::exception_ptr>& exceptions) {
    if (exceptions.empty()) throw ValueError("second argument (exceptions) must be a non-empty sequence");
    for (std::size_t i = 0; i < exceptions.size(); ++i) {
        if (exceptions[i]) continue;
        throw ValueError("Item " + std::to_string(i) + " of second argument (exceptions) is not an exception");
    }
}

bool holds_base_exception(const std::vector<std::exception_ptr>& exceptions) noexcept {
    for (const std::exception_ptr& error : exceptions) {
        if (is_base_exception(error)) return true;
    }
    return false;
}

/// Python: BaseExceptionGroup.derive().
std::exception_ptr derive(const BaseExceptionGroup& group, std::exception_ptr part) {
    auto note = note_derived_group.load(std::memory_order_acquire);
    if (note != nullptr) note(dynamic_cast<const void*>(&group), part);
    return part;
}

std::exception_ptr regroup(const BaseExceptionGroup& group, std::vector<std::exception_ptr>&& exceptions) {
    if (exceptions.empty()) return nullptr;
    return derive(group, make_exception_group(group.message(), std::move(exceptions)));
}

void collect_leaves(const std::exception_ptr& error, std::vector<std::exception_ptr>& leaves) {
    if (const auto* group = exception_cast<BaseExceptionGroup>(error)) {
        for (const std::exception_ptr& child : group->exceptions()) collect_leaves(child, leaves);
    } else {
        leaves.push_back(error);
    }
}

// The part of `original` that these groups, split off it, are made of. CPython:
// exception_group_projection().
std::exception_ptr projection(const std::exception_ptr& original, const std::vector<std::exception_ptr>& parts) {
    std::vector<std::exception_ptr> leaves;
    for (const std::exception_ptr& part : parts) collect_leaves(part, leaves);
    auto is_among_leaves = [&](const std::exception_ptr& error) {
        for (const std::exception_ptr& leaf : leaves) {
            if (leaf == error) return true;
        }
        return false;
    };
    return split_exception(original, ErrorPredicate(is_among_leaves)).matched;
}

}  // namespace

AnySplit split_exception(const std::exception_ptr& error, ErrorPredicate matches) {
    AnySplit result;
    if (!error) return result;
    if (matches(error)) {
        result.matched = error;
        return result;
    }
    const auto* group = exception_cast<BaseExceptionGroup>(error);
    if (group == nullptr) {
        result.rest = error;
        return result;
    }
    std::vector<std::exception_ptr> matched;
    std::vector<std::exception_ptr> rest;
    for (const std::exception_ptr& child : group->exceptions()) {
        AnySplit split = split_exception(child, matches);
        if (split.matched) matched.push_back(std::move(split.matched));
        if (split.rest) rest.push_back(std::move(split.rest));
    }
    result.matched = regroup(*group, std::move(matched));
    result.rest = regroup(*group, std::move(rest));
    return result;
}

ExceptStar::ExceptStar(std::exception_ptr error) noexcept : original_(std::move(error)), rest_(original_) {}

void ExceptStar::run(ErrorPredicate matches, void* handler, void (*call)(void*, const BaseExceptionGroup&)) {
    if (!rest_) return;
    std::exception_ptr matched;
    if (!exception_cast<BaseExceptionGroup>(rest_)) {
        if (!matches(rest_)) return;
        matched = make_exception_group("", {std::exchange(rest_, nullptr)});
    } else {
        AnySplit split = split_exception(rest_, matches);
        if (!split.matched) return;
        matched = std::move(split.matched);
        rest_ = std::move(split.rest);
    }
    try {
        // Thrown, so that `throw;` in the handler throws the very part that it got.
        std::rethrow_exception(matched);
    } catch (const BaseExceptionGroup& group) {
        try {
            call(handler, group);
        } catch (...) {
            std::exception_ptr error = std::current_exception();
            (error == matched ? reraised_ : raised_).push_back(std::move(error));
        }
    }
}

// CPython: _PyExc_PrepReraiseStar().
void ExceptStar::finish() {
    if (raised_.empty() && reraised_.empty()) {
        if (rest_) std::rethrow_exception(rest_);
        return;
    }
    if (!exception_cast<BaseExceptionGroup>(original_)) {  // then one clause at most has run
        std::rethrow_exception(raised_.empty() ? reraised_.front() : raised_.front());
    }
    if (rest_) reraised_.push_back(rest_);
    std::exception_ptr back = reraised_.empty() ? nullptr : projection(original_, reraised_);
    if (raised_.empty()) std::rethrow_exception(back);
    if (back) raised_.push_back(std::move(back));
    std::rethrow_exception(raised_.size() == 1 ? raised_.front() : make_exception_group("", raised_));
}

}  // namespace detail

BaseExceptionGroup::BaseExceptionGroup(std::string&& message, std::vector<std::exception_ptr>&& exceptions,
                                       bool only_exceptions) {
    detail::check_members(exceptions);
    if (only_exceptions && detail::holds_base_exception(exceptions)) {
        throw TypeError("Cannot nest BaseExceptions in an ExceptionGroup");
    }
    state_ = detail::Ref<detail::GroupState>::adopt(new detail::GroupState(std::move(message), std::move(exceptions)));
}

BaseExceptionGroup::BaseExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : BaseExceptionGroup(std::move(message), std::move(exceptions), false) {}
BaseExceptionGroup::BaseExceptionGroup(const BaseExceptionGroup& other) noexcept = default;
BaseExceptionGroup& BaseExceptionGroup::operator=(const BaseExceptionGroup& other) noexcept = default;
BaseExceptionGroup::~BaseExceptionGroup() = default;

const std::string& BaseExceptionGroup::message() const noexcept { return state_->message; }
const std::vector<std::exception_ptr>& BaseExceptionGroup::exceptions() const noexcept { return state_->exceptions; }
const char* BaseExceptionGroup::what() const noexcept { return state_->text(); }
std::exception_ptr BaseExceptionGroup::self() const { return std::make_exception_ptr(BaseExceptionGroup(*this)); }
ExceptionSplit BaseExceptionGroup::split_if(detail::ErrorPredicate matches) const {
    detail::AnySplit halves = detail::split_exception(detail::derive(*this, self()), matches);
    ExceptionSplit split;
    split.matched = ExceptionGroupPart(std::move(halves.matched));
    split.rest = ExceptionGroupPart(std::move(halves.rest));
    return split;
}

const BaseExceptionGroup& ExceptionGroupPart::operator*() const {
    const auto* group = exception_cast<BaseExceptionGroup>(*this);
    if (group == nullptr) throw ValueError("there is no such part of the exception group");
    return *group;
}

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : ExceptionGroup(std::move(message), std::move(exceptions), true) {}
ExceptionGroup::ExceptionGroup(std::string&& message, std::vector<std::exception_ptr>&& exceptions,
                               bool only_exceptions)
    : BaseExceptionGroup(std::move(message), std::move(exceptions), only_exceptions) {}
const char* ExceptionGroup::what() const noexcept { return BaseExceptionGroup::what(); }
std::exception_ptr ExceptionGroup::self() const { return std::make_exception_ptr(ExceptionGroup(*this)); }

std::exception_ptr make_exception_group(std::string message, std::vector<std::exception_ptr> exceptions) {
    detail::check_members(exceptions);
    if (detail::holds_base_exception(exceptions)) {
        return std::make_exception_ptr(BaseExceptionGroup(std::move(message), std::move(exceptions), false));
    }
    return std::make_exception_ptr(ExceptionGroup(std::move(message), std::move(exceptions), false));
}

}  // namespace asyncio
