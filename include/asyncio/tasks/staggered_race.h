#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/result.h>

#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// How a `staggered_race()` ended.
template <class T>
struct StaggeredRace {
    std::optional<T> winner_result = {};              ///< nothing if all failed
    std::optional<std::size_t> winner_index = {};     ///< its place among the functions
    std::vector<std::exception_ptr> exceptions = {};  ///< one for each that was started; null for the winner
};

namespace detail {

class RaceOver;

/// What staggered_race() does, whatever its coroutines return.
class Race : public AwaitsFutures {
public:
    Coro<> run();
    std::size_t count_awaited() const noexcept override { return running_.size(); }
    FutureBase* awaited(std::size_t index) const noexcept override { return running_[index].state_or_null(); }

protected:
    explicit Race(std::optional<Seconds> delay) noexcept : delay_(delay) {}
    ~Race() = default;
    Race(const Race&) = delete;
    /// The coroutine of the next function, which keeps the value if it is the first; an empty one if none is left.
    virtual Coro<> next() = 0;

    std::optional<std::size_t> winner_;
    std::vector<std::exception_ptr> exceptions_;

private:
    friend class RaceOver;
    void start_one(Future<> previous_failed);
    Coro<> run_one(Future<> may_start, Future<> previous_failed);
    void cancel_others();
    void one_is_done(const Task<>& task);

    std::optional<Seconds> delay_;
    std::vector<Task<>> running_;
    std::vector<std::exception_ptr> unhandled_;
    RaceOver* waiter_ = nullptr;
};

template <class T, class Functions>
class RaceOf final : public Race {
public:
    RaceOf(Functions& functions, std::optional<Seconds> delay)
        : Race(delay), next_(std::begin(functions)), end_(std::end(functions)) {}
    StaggeredRace<stored_t<T>> outcome() {
        StaggeredRace<stored_t<T>> race;
        race.winner_result = std::move(result_);
        race.winner_index = winner_;
        race.exceptions = std::move(exceptions_);
        return race;
    }

private:
    using Iterator = decltype(std::begin(std::declval<Functions&>()));
    Coro<> next() override {
        if (next_ == end_) return Coro<>();
        return keep_value(next_++);
    }
    Coro<> keep_value(Iterator function) {
        if constexpr (std::is_void_v<T>) {
            co_await (*function)();
            if (!result_) result_.emplace();
        } else {
            T value = co_await (*function)();
            if (!result_) result_.emplace(static_cast<T&&>(value));
        }
    }
    Iterator next_;
    decltype(std::end(std::declval<Functions&>())) end_;
    std::optional<stored_t<T>> result_;
};

template <class Functions>
using race_result_t = typename std::remove_cvref_t<decltype((*std::begin(std::declval<Functions&>()))())>::value_type;

}  // namespace detail

/// Starts coroutines one after the other until one succeeds: the next begins when the one before it fails, or after
/// `delay` (never, if that is `std::nullopt`); the first that returns wins, and the others are cancelled.
///
/// `coro_fns` is a range of functions that return a `Coro`; each is called when its turn comes. Returns when all tasks
/// of the race have ended. A coroutine that is cancelled should end by CancelledError, and one that fails must throw: a
/// value is a win, though only the first counts. Cancelling the race cancels them all, and waits for them.
///
/// Python: asyncio.staggered.staggered_race, which returns a tuple. Happy Eyeballs (RFC 8305) is made of it.
template <class Functions>
Coro<StaggeredRace<detail::stored_t<detail::race_result_t<Functions>>>> staggered_race(Functions coro_fns,
                                                                                       std::optional<Seconds> delay) {
    detail::RaceOf<detail::race_result_t<Functions>, Functions> race(coro_fns, delay);
    co_await race.run();
    co_return race.outcome();
}

}  // namespace asyncio
