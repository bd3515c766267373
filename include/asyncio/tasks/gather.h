#pragma once

#include <asyncio/tasks/ensure_future.h>

#include <concepts>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The type of `return_exceptions`.
struct ReturnExceptions {
    explicit constexpr ReturnExceptions() noexcept = default;
};
/// As the first argument of `gather()`: exceptions are results like others. Python: `return_exceptions=True`.
inline constexpr ReturnExceptions return_exceptions{};

namespace detail {

class Gathering;

/// One of gather()'s children: a callback on its future.
class GatherChild : public ReadyNode {
public:
    GatherChild() noexcept;

private:
    friend struct InspectLayout;
    friend class Gathering;
    static void is_done(ReadyNode& node);
    Gathering* gathering_ = nullptr;
    Ref<FutureBase> future_;
    bool reported_ = false;
};

/// What gather() does, whatever it gathers. A part of the future that gather() returned, `outer`.
///
/// While there are handles of the outer future it owns its children, which only point to it. When the last handle goes
/// and children are still running, those own it instead: it must be there to take note of their ends.
class Gathering : public AwaitsFutures {
public:
    struct Layout;
    std::size_t count_awaited() const noexcept override { return size_; }
    FutureBase* awaited(std::size_t index) const noexcept override;
    void child_is_done(GatherChild& child);

protected:
    Gathering(FutureBase& outer, bool return_exceptions) noexcept;
    ~Gathering() = default;
    Gathering(const Gathering&) = delete;

    /// To be called first, then `add()` for each child in order, then `begin()`.
    void set_children(GatherChild* children, std::size_t size) noexcept;
    void add(Ref<FutureBase> future, bool made_here);
    /// All children are there. The outer future ends here if they are done.
    void begin();
    bool cancel_children(const Ref<CancelRequest>& request);
    bool pass_to_children() noexcept;
    void let_go() noexcept;
    FutureBase& child(std::size_t index) const noexcept { return *children_[index].future_; }
    std::size_t size() const noexcept { return size_; }
    virtual void store_results() = 0;

private:
    class Link;
    void conclude();

    FutureBase& outer_;
    GatherChild* children_ = nullptr;
    std::size_t size_ = 0;
    std::size_t added_ = 0;
    std::size_t finished_ = 0;
    bool return_exceptions_;
    bool begun_ = false;
    bool cancel_requested_ = false;
    bool passed_to_children_ = false;
};

/// What gather(return_exceptions=True) lists for this child, if it is not a value; else null.
std::exception_ptr gathered_exception(FutureBase& child);

template <bool Exceptions, class Argument>
using gathered_t =
    std::conditional_t<Exceptions, Result<stored_t<typename Argument::Value>>, stored_t<typename Argument::Value>>;

template <bool Exceptions, class Argument>
gathered_t<Exceptions, Argument> gathered_value(FutureBase& child) {
    if constexpr (Exceptions) {
        if (std::exception_ptr exception = gathered_exception(child)) {
            return gathered_t<Exceptions, Argument>::failure(std::move(exception));
        }
    }
    return value_of<Argument>(child);
}

/// The future that gather() returns, but for where its children are and how their results are put together.
template <class Results>
class GatherState : public ResultState<Results, FutureBase>, public Gathering {
public:
    bool cancel(const Ref<CancelRequest>& request) final { return cancel_children(request); }

protected:
    GatherState(LoopCore& loop, bool return_exceptions) noexcept
        : ResultState<Results, FutureBase>(loop, FutureBase::Kind::gathering), Gathering(*this, return_exceptions) {
        this->outlives_handles_ = true;
    }
    const Results& results() const noexcept { return const_cast<GatherState*>(this)->slot().get(); }

private:
    bool outlive_handles() noexcept final { return pass_to_children(); }
    void on_done() noexcept final { let_go(); }
};

template <bool Exceptions, class... Arguments>
class GatherTuple final : public GatherState<std::tuple<gathered_t<Exceptions, Arguments>...>> {
    using Results = std::tuple<gathered_t<Exceptions, Arguments>...>;

public:
    explicit GatherTuple(LoopCore& loop) noexcept : GatherState<Results>(loop, Exceptions) {
        this->set_children(children_, sizeof...(Arguments));
    }
    template <class... A>
    void gather(A&&... arguments) {
        (this->add(future_of(this->loop(), static_cast<A&&>(arguments)), !FutureHandle<A>), ...);
        this->begin();
    }
    std::string result_repr() const override { return repr_of(this->results()); }

private:
    void store_results() override { store(std::index_sequence_for<Arguments...>()); }
    template <std::size_t... I>
    void store(std::index_sequence<I...>) {
        this->slot().emplace(gathered_value<Exceptions, Arguments>(this->child(I))...);
    }
    GatherChild children_[sizeof...(Arguments)];
};

template <bool Exceptions, class Argument>
class GatherVector final : public GatherState<std::vector<gathered_t<Exceptions, Argument>>> {
    using Results = std::vector<gathered_t<Exceptions, Argument>>;

public:
    GatherVector(LoopCore& loop, std::size_t size) : GatherState<Results>(loop, Exceptions), children_(size) {
        this->set_children(children_.data(), size);
    }
    using Gathering::add;
    using Gathering::begin;
    std::string result_repr() const override { return repr_of(this->results()); }

private:
    void store_results() override {
        Results results;
        results.reserve(this->size());
        for (std::size_t i = 0; i < this->size(); ++i) {
            results.push_back(gathered_value<Exceptions, Argument>(this->child(i)));
        }
        this->slot().emplace(std::move(results));
    }
    std::vector<GatherChild> children_;
};

template <class Results>
Future<Results> gathered_nothing(LoopCore& loop) {
    Future<Results> future(Ref<FutureBase>(new FutureState<Results>(loop)));
    future.set_result(Results());
    return future;
}

template <class... Argument>
constexpr void check_can_gather() noexcept {
    static_assert((std::is_move_constructible_v<stored_t<typename Argument::Value>> && ...),
                  "the results are moved to one place, and one of these cannot be moved: return a std::unique_ptr of "
                  "it, or await a future or task that has a name, which gives a reference");
}

template <bool Exceptions, class... A>
auto gather_all(A&&... arguments) {
    check_can_gather<Argument<A>...>();
    using Results = std::tuple<gathered_t<Exceptions, Argument<A>>...>;
    if constexpr (sizeof...(A) == 0) {
        return gathered_nothing<Results>(running_core());
    } else {
        auto first_loop = [](const auto& first, const auto&...) -> LoopCore& { return loop_for(first); };
        Ref state(new GatherTuple<Exceptions, Argument<A>...>(first_loop(arguments...)));
        state->gather(static_cast<A&&>(arguments)...);
        return Future<Results>(std::move(state));
    }
}

template <bool Exceptions, class R>
auto gather_range(R&& range) {
    using Item = item_t<R>;
    check_can_gather<Argument<Item>>();
    using Results = std::vector<gathered_t<Exceptions, Argument<Item>>>;
    if constexpr (SizedRange<R>) {
        if (std::size(range) == 0) return gathered_nothing<Results>(running_core());
        LoopCore* loop = running_core_or_null();
        if (loop == nullptr) loop = &loop_for(*std::begin(range));
        Ref state(new GatherVector<Exceptions, Argument<Item>>(*loop, std::size(range)));
        for (auto&& item : range) state->add(future_of(*loop, static_cast<Item&&>(item)), !FutureHandle<Item>);
        state->begin();
        return Future<Results>(std::move(state));
    } else {
        // Of one pass only, perhaps: everything is made first.
        std::vector<typename Argument<Item>::Handle> handles;
        for (auto&& item : range) handles.push_back(ensure_future(static_cast<Item&&>(item)));
        if (handles.empty()) return gathered_nothing<Results>(running_core());
        LoopCore& loop = loop_for(handles.front());
        Ref state(new GatherVector<Exceptions, Argument<Item>>(loop, handles.size()));
        for (auto& handle : handles) state->add(checked_future(loop, handle), !FutureHandle<Item>);
        state->begin();
        return Future<Results>(std::move(state));
    }
}

template <class... A>
inline constexpr bool is_one_range = false;
template <class R>
inline constexpr bool is_one_range<R> = Range<R>;

}  // namespace detail

/// Runs several awaitables at once and gives their results in the order of the arguments.
///
/// `gather(a, b, c)` is a future of a `std::tuple`, `gather(range)` one of a `std::vector`; `None` stands where there
/// is no value. Coroutines and other awaitables become tasks; futures and tasks are waited for as they are. The values
/// of coroutines and of futures given as rvalues are moved out, those of other futures copied. Nobody has to keep the
/// future.
///
/// It is done, one pass after it is so decided, when all children are, or when the first of them has failed: with that
/// exception, or with a CancelledError for a cancelled child. The others run on, and what they end with is dropped. If
/// all are done already, so is the future. Cancelling it cancels every child; it ends by CancelledError when they have
/// ended.
/// ```cpp
/// auto results = co_await gather(fetch("a"), fetch("b"), sleep(1s));
/// auto& [a, b, none] = results;
/// ```
/// Python: asyncio.gather. The same future given several times fills all its places, as there.
template <class... A>
requires(!(std::is_same_v<std::remove_cvref_t<A>, ReturnExceptions> || ...)) auto gather(A&&... awaitables) {
    if constexpr (detail::is_one_range<A...>) {
        return detail::gather_range<false>(static_cast<A&&>(awaitables)...);
    } else {
        return detail::gather_all<false>(static_cast<A&&>(awaitables)...);
    }
}

/// The same, but waits for all children whatever they end with, and gives a `Result<T>` for each: a value or an
/// exception. Python: asyncio.gather(..., return_exceptions=True).
template <class... A>
auto gather(ReturnExceptions, A&&... awaitables) {
    if constexpr (detail::is_one_range<A...>) {
        return detail::gather_range<true>(static_cast<A&&>(awaitables)...);
    } else {
        return detail::gather_all<true>(static_cast<A&&>(awaitables)...);
    }
}

void gather(std::initializer_list<detail::InBraces>) = delete;                    // gather(a, b), without braces
void gather(ReturnExceptions, std::initializer_list<detail::InBraces>) = delete;  // without braces, too

}  // namespace asyncio
