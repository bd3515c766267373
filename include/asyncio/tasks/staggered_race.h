#pragma once

#include <asyncio/core/coroutine.h>
#include <asyncio/core/task.h>
#include <asyncio/core/waiter.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/loop/seconds.h>
#include <asyncio/tasks/ensure_future.h>
#include <asyncio/tasks/result.h>

#include <cstddef>
#include <exception>
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

class Race;
class RaceOver;
struct Racers;  // the tag of a race's lists

/// A task's part in a race, in the task's own allocation: a node of the race's lists, and the callback that tells it of
/// the task's end.
class Racer : public ReadyNode, public ListHook<Racers> {
public:
    Racer() noexcept : ReadyNode(&Racer::task_is_done) {}
    static constexpr bool is_plain = false;

private:
    friend struct InspectLayout;
    friend Race;
    static void task_is_done(ReadyNode& node);
    void forget() noexcept;  // may destroy the task, and so this

    Race* race_ = nullptr;
    Ref<TaskBase> task_;  // itself, until the race has been told; or, if it failed, is over
};

/// What staggered_race() does, whatever its coroutines return.
class Race : public AwaitsFutures {
public:
    struct Layout;
    Coro<> run();
    std::size_t count_awaited() const noexcept override;
    FutureBase* awaited(std::size_t index) const noexcept override;
    void set_waiter(RaceOver* waiter) noexcept { waiter_ = waiter; }
    void one_is_done(Racer& racer, TaskBase& task) noexcept;

protected:
    explicit Race(std::optional<Seconds> delay) noexcept;
    ~Race();
    Race(const Race&) = delete;
    /// The coroutine of the next function, which keeps the value if it is the first; an empty one if none is left.
    virtual Coro<> next() = 0;

    std::optional<std::size_t> winner_;
    std::vector<std::exception_ptr> exceptions_;

private:
    void start_one(Future<> previous_failed);
    Coro<> run_one(Future<> may_start, Future<> previous_failed);
    Coro<> wait_and_start_next(Future<> previous_failed, Coro<>& own, Future<>& failed);
    void cancel_others(const Ref<CancelRequest>& request);

    std::optional<Seconds> delay_;
    mutable IntrusiveList<Racer, Racers> running_;
    IntrusiveList<Racer, Racers> unhandled_;  // those that ended by an error that was not their coroutine's
    RaceOver* waiter_ = nullptr;
};

template <class T, class Functions>
class RaceOf final : public Race {
public:
    RaceOf(Functions& functions, std::optional<Seconds> delay)
        : Race(delay), next_(std::begin(functions)), end_(std::end(functions)) {}
    StaggeredRace<stored_t<T>> outcome() { return {std::move(result_), winner_, std::move(exceptions_)}; }

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
