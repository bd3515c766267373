#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/tasks/ensure_future.h>

#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The keyword arguments of `as_completed()`.
struct AsCompletedOptions {
    std::optional<Seconds> timeout = {};  ///< none: however long it takes
};

namespace detail {

/// What as_completed() returned and its steps share: the futures, and a queue of those that are done and not delivered.
class Completions final : public AwaitsFutures, public Pooled {
public:
    explicit Completions(LoopCore& loop) noexcept;
    Completions(const Completions&) = delete;
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) delete this;
    }

    LoopCore& loop() const noexcept { return *loop_; }
    void add(Ref<FutureBase> future);
    /// All futures are there.
    void begin(std::optional<Seconds> timeout);

    /// How many steps are left that nobody has begun.
    std::size_t left() const noexcept { return left_; }
    void begin_step() noexcept { --left_; }
    void give_step_back() noexcept { ++left_; }

    std::size_t count_awaited() const noexcept override;
    FutureBase* awaited(std::size_t index) const noexcept override;

private:
    friend struct InspectLayout;
    friend class CompletionWaiter;
    struct Item : ReadyNode {
        Item() noexcept : ReadyNode(&Completions::is_done) {}
        Completions* owner = nullptr;
        Ref<FutureBase> future;
        bool is_todo = true;
    };
    struct Timeout : TimerNode {
        explicit Timeout(Completions& completions) noexcept : TimerNode(&Completions::is_due), owner(completions) {}
        Completions& owner;
    };
    ~Completions();
    static void is_done(ReadyNode& node);
    static void is_due(ReadyNode& node);
    void deliver(Item* item) noexcept;
    void wake_next() noexcept;
    bool is_empty() const noexcept;

    LoopCore* loop_;
    std::size_t references_ = 0;
    std::vector<Ref<FutureBase>> futures_;
    DistinctFutures seen_;
    std::vector<Item> items_;
    std::vector<Item*> done_;  // null: the timeout, instead of one that was not done
    std::size_t taken_ = 0;    // of done_
    std::size_t todo_ = 0;
    std::size_t left_ = 0;
    ReadyList waiters_;
    Timeout timeout_{*this};
};

/// A wait for the next one that is done.
class CompletionWaiter : public Waiter {
public:
    void tell(WaitStory& story) const override;
    bool await_ready() noexcept { return !completions_->is_empty(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        wait(*frame.promise().task(), frame);
    }
    void item_is_there() noexcept;

protected:
    explicit CompletionWaiter(Ref<Completions> completions) noexcept
        : Waiter(WaitKind::several, &completions_), completions_(std::move(completions)) {}
    ~CompletionWaiter() = default;
    Completions& completions() noexcept { return *completions_; }
    /// The future that is done; throws TimeoutError if there is none any more.
    Ref<FutureBase> take();

private:
    void wait(TaskBase& task, std::coroutine_handle<> frame) noexcept;
    static void look_again(ReadyNode& node);
    Ref<Completions> completions_;
};

template <class Argument>
class [[nodiscard]] ValueAwaiter final : public CompletionWaiter {
    using Value = typename Argument::Value;

public:
    explicit ValueAwaiter(Ref<Completions> completions) noexcept : CompletionWaiter(std::move(completions)) {}
    Value await_resume() {
        Ref<FutureBase> future = take();
        future->check_result();
        if constexpr (std::is_void_v<Value>) {
            return;
        } else if constexpr (Argument::moves) {
            return slot_of<Value>(*future).take();
        } else {
            return slot_of<Value>(*future).get();
        }
    }
};

template <class Handle>
class [[nodiscard]] HandleAwaiter final : public CompletionWaiter {
public:
    explicit HandleAwaiter(Ref<Completions> completions) noexcept : CompletionWaiter(std::move(completions)) {}
    bool await_ready() noexcept {
        is_over_ = completions().left() == 0;
        if (is_over_) return true;
        completions().begin_step();
        return CompletionWaiter::await_ready();
    }
    std::optional<Handle> await_resume() {
        if (is_over_) return std::nullopt;
        return Handle(take());
    }

private:
    bool is_over_ = false;
};

[[noreturn]] void throw_step_reused();

/// One step of `as_completed()`: awaited once, it gives the value of the next future that is done. The steps are
/// interchangeable: whichever is awaited first gets the first value.
template <class Argument>
class [[nodiscard("a step of as_completed() has to be awaited")]] NextCompleted : public NativeAwaitable {
public:
    explicit NextCompleted(Ref<Completions> completions) noexcept : completions_(std::move(completions)) {}
    NextCompleted(NextCompleted &&) noexcept = default;
    NextCompleted& operator=(NextCompleted&&) noexcept = default;
    ValueAwaiter<Argument> operator co_await() {
        if (!completions_) throw_step_reused();
        return ValueAwaiter<Argument>(std::move(completions_));
    }

private:
    Ref<Completions> completions_;
};

/// What `it.next()` returns.
template <class Handle>
class [[nodiscard("next() waits only where it is awaited")]] NextHandle : public NativeAwaitable {
public:
    explicit NextHandle(Ref<Completions> completions) noexcept : completions_(std::move(completions)) {}
    HandleAwaiter<Handle> operator co_await() const { return HandleAwaiter<Handle>(completions_); }

private:
    Ref<Completions> completions_;
};

}  // namespace detail

/// What `as_completed()` returns: futures in the order in which they are done. Copies share the place they have
/// reached. Python: the iterator that asyncio.as_completed() returns.
template <class Argument>
class [[nodiscard]] AsCompleted {
public:
    using Handle = typename Argument::Handle;
    /// What a plain loop gives: an awaitable of the next value. `std::vector<decltype(completed)::value_type>` keeps
    /// them.
    using value_type = detail::NextCompleted<Argument>;

    /// Goes on to the next that is done.
    class Iterator {
    public:
        explicit Iterator(detail::Ref<detail::Completions> completions) noexcept
            : completions_(std::move(completions)) {}
        /// Begins a step; to be called once for each.
        detail::NextCompleted<Argument> operator*() const noexcept {
            completions_->begin_step();
            return detail::NextCompleted<Argument>(completions_);
        }
        Iterator& operator++() noexcept { return *this; }
        bool operator!=(decltype(nullptr)) const noexcept { return completions_->left() != 0; }

    private:
        detail::Ref<detail::Completions> completions_;
    };

    explicit AsCompleted(detail::Ref<detail::Completions> completions) noexcept
        : completions_(std::move(completions)) {}

    /// For a plain loop: as many awaitables as there are futures left, each for the value of the next that is done.
    /// The loop may be left, and another one takes up where it was left.
    Iterator begin() const noexcept { return Iterator(completions_); }
    decltype(nullptr) end() const noexcept { return nullptr; }

    /// Waits for the next one that is done and gives its handle; nothing when all were given. Python: `async for`.
    detail::NextHandle<Handle> next() const noexcept { return detail::NextHandle<Handle>(completions_); }

private:
    detail::Ref<detail::Completions> completions_;
};

namespace detail {
namespace bases {

/// The Argument that stands for several: theirs if it is the same, else a common one.
template <class HandleType, class ValueType, bool Moves>
struct CommonArgument {
    using Handle = HandleType;
    using Value = ValueType;
    static constexpr bool moves = Moves;
};

}  // namespace bases
using bases::CommonArgument;

template <class First, class... Rest>
struct CommonArgumentOf {
    using type = std::conditional_t<
        (std::is_same_v<typename First::Handle, typename Rest::Handle> && ...),
        CommonArgument<typename First::Handle, typename First::Value, (First::moves && ... && Rest::moves)>,
        CommonArgument<AnyFuture, void, false>>;
};

template <class R>
auto completions_of_range(const AsCompletedOptions& options, R&& range) {
    using Item = item_t<R>;
    using Common = typename CommonArgumentOf<Argument<Item>>::type;
    Ref completions(new Completions(running_core()));
    for (auto&& item : range) completions->add(future_of(completions->loop(), static_cast<Item&&>(item)));
    completions->begin(options.timeout);
    return AsCompleted<Common>(std::move(completions));
}
template <class... A>
auto completions_of(const AsCompletedOptions& options, A&&... awaitables) {
    using Common = typename CommonArgumentOf<Argument<A>...>::type;
    Ref completions(new Completions(running_core()));
    (completions->add(future_of(completions->loop(), static_cast<A&&>(awaitables))), ...);
    completions->begin(options.timeout);
    return AsCompleted<Common>(std::move(completions));
}

}  // namespace detail

/// Runs the awaitables of a range at once and gives them in the order in which they are done.
///
/// A plain loop gives awaitables for their values; `next()` gives the tasks or futures themselves, done already:
/// ```cpp
/// for (auto next : as_completed(tasks)) use(co_await next);
/// auto completed = as_completed(tasks);
/// while (auto task = co_await completed.next()) use(task->result());
/// ```
/// Coroutines and other awaitables become tasks. After `timeout` every step that has nothing to give throws
/// TimeoutError; nothing is cancelled. A step that is cancelled gives its place back, so that no future is lost. A
/// future given twice comes once. Throws RuntimeError when no loop runs. Python: asyncio.as_completed.
template <class Awaitables>
auto as_completed(Awaitables&& awaitables, AsCompletedOptions options = {}) {
    if constexpr (detail::Range<Awaitables>) {
        return detail::completions_of_range(options, static_cast<Awaitables&&>(awaitables));
    } else {
        return detail::completions_of(options, static_cast<Awaitables&&>(awaitables));
    }
}
/// The same for awaitables given one by one; where their types differ, for `AnyFuture`s and without values.
template <class First, class Second>
requires(!std::is_same_v<std::remove_cvref_t<Second>, AsCompletedOptions>) auto as_completed(
    First&& first, Second&& second, AsCompletedOptions options = {}) {
    return detail::completions_of(options, static_cast<First&&>(first), static_cast<Second&&>(second));
}
template <class First, class Second, class Third>
requires(!std::is_same_v<std::remove_cvref_t<Third>, AsCompletedOptions>) auto as_completed(
    First&& first, Second&& second, Third&& third, AsCompletedOptions options = {}) {
    return detail::completions_of(options, static_cast<First&&>(first), static_cast<Second&&>(second),
                                  static_cast<Third&&>(third));
}
/// For more of them with a timeout, put them into a range.
template <class... Awaitables>
requires(sizeof...(Awaitables) > 3) auto as_completed(Awaitables&&... awaitables) {
    return detail::completions_of({}, static_cast<Awaitables&&>(awaitables)...);
}

}  // namespace asyncio
