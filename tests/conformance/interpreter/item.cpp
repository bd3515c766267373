#include "item.h"

#include "text.h"

#include <algorithm>

namespace conformance {

using asyncio::AnyTask;
using asyncio::None;
using asyncio::Result;
using asyncio::detail::FutureBase;

bool Item::is_task() const { return future.state_or_null()->kind() == FutureBase::Kind::task; }

AnyTask Item::task() const {
    return is_task() ? AnyTask(asyncio::detail::Ref<FutureBase>(future.state_or_null())) : AnyTask();
}

namespace {

std::string text_of(int value) { return text(value); }
std::string text_of(const Result<int>& result) { return result ? text(*result) : describe(result.exception()); }

template <class T>
std::string text_of(const std::vector<T>& values) {
    std::vector<std::string> all;
    for (const T& value : values) all.push_back(text_of(value));
    return text_of_list(all);
}
template <class A, class B>
std::string text_of(const std::tuple<A, B>& both) {
    return text_of_list(std::vector<std::string>{text_of(std::get<0>(both)), text_of(std::get<1>(both))});
}

}  // namespace

std::string text_of_result(const Item& item, int depth) {
    if (depth == deepest_text && item.kind != Item::Kind::number) return "[...]";
    std::vector<std::string> all;
    if (item.kind == Item::Kind::mixed) {
        item.future.as<std::vector<None>>().result();
        for (auto& part : item.parts) all.push_back(text_of_result(*part, depth + 1));
        return text_of_list(all);
    }
    if (item.kind == Item::Kind::mixed_results) {
        auto& results = item.future.as<std::vector<Result<None>>>().result();
        for (std::size_t i = 0; i < results.size(); ++i) {
            all.push_back(results[i] ? text_of_result(*item.parts[i], depth + 1) : describe(results[i].exception()));
        }
        return text_of_list(all);
    }
    return with_type(item, [](const auto& future) {
        if constexpr (requires { future.result(); }) {
            return text_of(future.result());
        } else {
            return std::string();
        }
    });
}

std::string outcome(const Item& item) {
    if (!item.future.done()) return "pending";
    if (item.future.cancelled()) return "cancelled";
    std::exception_ptr error = item.future.exception();
    return error ? "! " + describe(error) : text_of_result(item);
}

bool Waits::would_circle(const AnyTask& me, const Item& item) const {
    std::vector<const Item*> todo = {&item};
    std::vector<const Item*> seen;
    while (!todo.empty()) {
        const Item* one = todo.back();
        todo.pop_back();
        if (one->future == me) return true;
        if (one->future.done() || std::find(seen.begin(), seen.end(), one) != seen.end()) continue;
        seen.push_back(one);
        for (const ItemRef& child : one->children) todo.push_back(child.get());
        auto found = on_.find(one->future.state_or_null());
        if (found != on_.end()) todo.push_back(found->second.get());
    }
    return false;
}

bool Waits::is_spoilt(const Item& item) const {
    return std::find(spoilt_.begin(), spoilt_.end(), item.future) != spoilt_.end();
}

Waiting::Waiting(Waits& waits, const AnyTask& task, const ItemRef& item) : waits_(waits), task_(task.state_or_null()) {
    before_ = waits_.on_[task_];
    waits_.on_[task_] = item;
}

Waiting::~Waiting() {
    if (before_) {
        waits_.on_[task_] = before_;
    } else {
        waits_.on_.erase(task_);
    }
}

}  // namespace conformance
