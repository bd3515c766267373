#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/tasks/ensure_future.h>

#include <coroutine>
#include <cstddef>
#include <initializer_list>
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
    using Copy = void (*)();  // a function that copies the value of a future, by another type
    /// None: nobody else wants the values, which are moved.
    Completions(LoopCore& loop, Copy copying) noexcept;
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
    Copy copy() const noexcept { return copy_; }

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
    const Copy copy_;
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

template <class Value>
class [[nodiscard]] [[gnu::warn_unused]] ValueAwaiter final : public CompletionWaiter {
public:
    explicit ValueAwaiter(Ref<Completions> completions) noexcept : CompletionWaiter(std::move(completions)) {}
    Value await_resume() {
        Ref<FutureBase> future = take();
        future->check_result();
        if constexpr (!std::is_void_v<Value>) {
            if (Completions::Copy copy = completions().copy())
                return reinterpret_cast<Value (*)(FutureBase&)>(copy)(*future);
            return slot_of<Value>(*future).take();
        }
    }
};

template <class Handle>
class [[nodiscard]] [[gnu::warn_unused]] HandleAwaiter final : public CompletionWaiter {
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

/// The type of the value that a future has; none where its type is unknown.
template <class Handle>
struct ValueOfHandle {
    using type = void;
};
template <class Handle>
requires requires { typename Handle::value_type; }
struct ValueOfHandle<Handle> {
    using type = typename Handle::value_type;
};
template <class Handle>
using value_of_handle_t = typename ValueOfHandle<Handle>::type;

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

/// What a plain loop over `as_completed()` gives: awaited once, it gives the value of the next future that is done, or
/// throws what that ended with. Steps are interchangeable: the one that is awaited first gets the first value.
///
/// Goes on two passes after the future is done. Cancelling gives its place to a later step. Throws TimeoutError where
/// the timeout was first, RuntimeError when it is awaited again. For the loop's thread.
/// ```cpp
/// std::vector<NextCompleted<int>> steps = list(as_completed(tasks));
/// for (NextCompleted<int>& step : steps) use(co_await step);
/// ```
/// Python: the coroutines that the iterator of asyncio.as_completed() gives.
template <class T>
class [[nodiscard("a step of as_completed() has to be awaited")]] NextCompleted : public detail::NativeAwaitable {
public:
    explicit NextCompleted(detail::Ref<detail::Completions> completions) noexcept
        : completions_(std::move(completions)) {}
    NextCompleted(NextCompleted &&) noexcept = default;
    NextCompleted& operator=(NextCompleted&&) noexcept = default;
    detail::ValueAwaiter<T> operator co_await() {
        if (!completions_) detail::throw_step_reused();
        return detail::ValueAwaiter<T>(std::move(completions_));
    }

private:
    detail::Ref<detail::Completions> completions_;
};

/// What `as_completed()` returns: futures in the order in which they are done. Copies share the place they have
/// reached. `Future` is what they are: `AsCompleted<Task<int>>` of coroutines and tasks, `AsCompleted<AnyFuture>` of
/// several types. Python: the iterator that asyncio.as_completed() returns.
template <class Future>
class [[nodiscard]] AsCompleted {
public:
    using Handle = Future;
    /// What a plain loop gives.
    using value_type = NextCompleted<detail::value_of_handle_t<Future>>;

    /// Goes on to the next that is done. An input iterator.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = typename AsCompleted::value_type;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = value_type;

        explicit Iterator(detail::Ref<detail::Completions> completions) noexcept
            : completions_(std::move(completions)) {}
        /// Begins a step; to be called once for each.
        value_type operator*() const noexcept {
            completions_->begin_step();
            return value_type(completions_);
        }
        Iterator& operator++() noexcept { return *this; }
        void operator++(int) noexcept {}
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.is_over() == b.is_over(); }

    private:
        bool is_over() const noexcept { return !completions_ || completions_->left() == 0; }
        detail::Ref<detail::Completions> completions_;
    };

    explicit AsCompleted(detail::Ref<detail::Completions> completions) noexcept
        : completions_(std::move(completions)) {}

    /// For a plain loop: as many awaitables as there are futures left, each for the value of the next that is done.
    /// The loop may be left, and another one takes up where it was left.
    Iterator begin() const noexcept { return Iterator(completions_); }
    Iterator end() const noexcept { return Iterator(nullptr); }
    /// All steps that are left, to be awaited in any order: `list(as_completed(tasks))`. Python: list(iterator).
    friend std::vector<value_type> list(const AsCompleted& completed) {
        std::vector<value_type> steps;
        steps.reserve(completed.completions_->left());  // a step that was begun and is dropped would be lost
        for (value_type step : completed) steps.push_back(std::move(step));
        return steps;
    }

    /// Waits for the next one that is done and gives its handle; nothing when all were given. Cancelling gives its
    /// place back. Python: `async for`.
    detail::NextHandle<Handle> next() const noexcept { return detail::NextHandle<Handle>(completions_); }

private:
    detail::Ref<detail::Completions> completions_;
};

namespace detail {

template <class Value>
Value copy_value(FutureBase& future) {
    return slot_of<Value>(future).get();
}
/// Made only where it is wanted: a std::vector says of itself that it can be copied, whatever is in it.
template <bool moves, class Value>
Completions::Copy copy_unless() noexcept {
    if constexpr (moves || std::is_void_v<Value>) {
        return nullptr;
    } else {
        return reinterpret_cast<Completions::Copy>(&copy_value<Value>);
    }
}

template <class R>
auto completions_of_range(const AsCompletedOptions& options, R&& range) {
    using Given = Argument<item_t<R>>;
    using Value = value_of_handle_t<typename Given::Handle>;
    Ref completions(new Completions(running_core(), copy_unless<Given::moves, Value>()));
    for (auto&& item : range) completions->add(future_of(completions->loop(), static_cast<item_t<R>&&>(item)));
    completions->begin(options.timeout);
    return AsCompleted<typename Given::Handle>(std::move(completions));
}
template <class... A>
auto completions_of(const AsCompletedOptions& options, A&&... awaitables) {
    using Handle = typename CommonHandle<typename Argument<A>::Handle...>::type;
    Ref completions(
        new Completions(running_core(), copy_unless<(Argument<A>::moves && ...), value_of_handle_t<Handle>>()));
    (completions->add(future_of(completions->loop(), static_cast<A&&>(awaitables))), ...);
    completions->begin(options.timeout);
    return AsCompleted<Handle>(std::move(completions));
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

void as_completed(std::initializer_list<detail::InBraces>) = delete;  // as_completed(a, b), without braces
void as_completed(std::initializer_list<detail::InBraces>, AsCompletedOptions) = delete;  // without braces, too

}  // namespace asyncio
