#pragma once

#include <asyncio/core/waiter.h>
#include <asyncio/tasks/ensure_future.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// When `wait()` returns.
enum class ReturnWhen : std::uint8_t {
    FIRST_COMPLETED,  ///< one is done, whatever it ended with
    FIRST_EXCEPTION,  ///< one has failed (to be cancelled is no failure), or all are done
    ALL_COMPLETED,    ///< all are done
};
using enum ReturnWhen;
/// `'FIRST_COMPLETED'`: in Python the constant is that string.
std::string repr(ReturnWhen when);

/// The keyword arguments of `wait()`.
struct WaitOptions {
    std::optional<Seconds> timeout = {};  ///< none: however long it takes
    ReturnWhen return_when = ALL_COMPLETED;
};

/// What `wait()` gives: the handles in the order they were given, each once. `auto [done, pending] = co_await wait(…);`
template <class Handle>
struct WaitResult {
    std::vector<Handle> done;
    std::vector<Handle> pending;
};

/// As Python prints the two sets: `({<Task finished …>}, set())`. Python: repr(await wait(…)).
template <class Handle>
std::string repr(const WaitResult<Handle>& result) {
    auto set = [](const std::vector<Handle>& handles) {
        std::string text;
        for (const Handle& handle : handles) text += (text.empty() ? "{" : ", ") + repr(handle);
        return text.empty() ? "set()" : text + "}";
    };
    return "(" + set(result.done) + ", " + set(result.pending) + ")";
}

namespace detail {

class WaitAwaiter;

/// One of the futures that a wait() is for: a callback on it.
class WaitNode : public ReadyNode {
public:
    WaitNode() noexcept;

private:
    friend struct InspectLayout;
    friend class WaitAwaiter;
    static void is_done(ReadyNode& node);
    WaitAwaiter* awaiter_ = nullptr;
    FutureBase* future_ = nullptr;
};

/// A wait() under way, whatever the type of its handles. It is its timeout's timer itself.
class WaitAwaiter : public Waiter, public AwaitsFutures {
public:
    void tell(WaitStory& story) const override;
    std::size_t count_awaited() const noexcept override;
    FutureBase* awaited(std::size_t index) const noexcept override;
    void one_is_done(FutureBase& future);

protected:
    WaitAwaiter(std::size_t size, const WaitOptions& options);
    ~WaitAwaiter();
    void set_future(std::size_t index, FutureBase& future) noexcept;
    void wait(TaskBase& task, std::coroutine_handle<> frame);
    void end();

private:
    static void is_due(ReadyNode& node);

    std::vector<WaitNode> nodes_;
    std::size_t left_;
    WaitOptions options_;
};

template <class Handle>
class [[nodiscard]] [[gnu::warn_unused]] WaitAwaiterOf final : public WaitAwaiter {
public:
    WaitAwaiterOf(std::vector<Handle> handles, const WaitOptions& options)
        : WaitAwaiter(handles.size(), options), handles_(std::move(handles)) {
        for (std::size_t i = 0; i < handles_.size(); ++i) set_future(i, *handles_[i].state_or_null());
    }
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) {
        wait(*frame.promise().task(), frame);
    }
    WaitResult<Handle> await_resume() {
        end();
        WaitResult<Handle> result;
        for (Handle& handle : handles_) (handle.done() ? result.done : result.pending).push_back(std::move(handle));
        return result;
    }

private:
    std::vector<Handle> handles_;
};

void check_wait(std::size_t size, ReturnWhen return_when);

/// What `wait()` returns.
template <class Handle>
class [[nodiscard("wait() waits only where it is awaited")]] Wait : public NativeAwaitable {
public:
    Wait(std::vector<Handle> handles, const WaitOptions& options) : handles_(std::move(handles)), options_(options) {
        check_wait(handles_.size(), options.return_when);
    }
    WaitAwaiterOf<Handle> operator co_await() { return WaitAwaiterOf<Handle>(std::move(handles_), options_); }

private:
    std::vector<Handle> handles_;
    WaitOptions options_;
};

/// The handles of a wait(), each once, in the order given.
template <class Handle>
class HandleList {
public:
    template <class Item>
    void add(Item&& item) {
        if (seen_.add(checked_future(item))) handles_.push_back(Handle(static_cast<Item&&>(item)));
    }
    std::vector<Handle> take() { return std::move(handles_); }

private:
    DistinctFutures seen_;
    std::vector<Handle> handles_;
};

template <class... Item>
constexpr void check_wait_items() {
    static_assert(!(Coroutine<Item> || ...), "Passing coroutines is forbidden, use tasks explicitly: create_task(f())");
    static_assert((is_no_number<Item>() && ...) && (FutureHandle<Item> && ...),
                  "wait() takes futures and tasks, or one range of them");
}

template <class... Handles>
auto wait_for_handles(const WaitOptions& options, Handles&&... handles) {
    check_wait_items<Handles...>();
    using Common = typename CommonHandle<std::remove_cvref_t<Handles>...>::type;
    HandleList<Common> list;
    (list.add(static_cast<Handles&&>(handles)), ...);
    return Wait<Common>(list.take(), options);
}

template <class R>
auto wait_for_range(const WaitOptions& options, R&& range) {
    using Item = decltype(*std::begin(range));
    check_wait_items<Item>();
    HandleList<std::remove_cvref_t<Item>> list;
    for (auto&& item : range) list.add(static_cast<Item&&>(item));
    return Wait<std::remove_cvref_t<Item>>(list.take(), options);
}

}  // namespace detail

/// Waits for the tasks and futures of a range, or for one, and tells which are done; gives a `WaitResult`.
///
/// Never throws what they end with, and never cancels them: not at its timeout, which is no error here, nor when the
/// waiting task is cancelled. Done or pending is asked when the waiting task goes on, which is at least two passes of
/// the loop after this was awaited, even if all are done already or `timeout` is zero. The same future given twice
/// counts once. The handles are copied: the range may change meanwhile.
/// ```cpp
/// auto [done, pending] = co_await wait(tasks, {.timeout = 1s, .return_when = FIRST_COMPLETED});
/// ```
/// Throws ValueError for an empty range. Python: asyncio.wait, whose sets are `std::vector`s here, in the order given.
template <class Futures>
auto wait(Futures&& futures, WaitOptions options = {}) {
    if constexpr (detail::Range<Futures>) {
        return detail::wait_for_range(options, static_cast<Futures&&>(futures));
    } else {
        return detail::wait_for_handles(options, static_cast<Futures&&>(futures));
    }
}
/// The same for several, of whatever types: the handles in the result are of their type, or AnyFuture if they differ.
template <class First, class Second>
requires(!std::is_same_v<std::remove_cvref_t<Second>, WaitOptions>) auto wait(First&& first, Second&& second,
                                                                              WaitOptions options = {}) {
    return detail::wait_for_handles(options, static_cast<First&&>(first), static_cast<Second&&>(second));
}
template <class First, class Second, class Third>
requires(!std::is_same_v<std::remove_cvref_t<Third>, WaitOptions>) auto wait(First&& first, Second&& second,
                                                                             Third&& third, WaitOptions options = {}) {
    return detail::wait_for_handles(options, static_cast<First&&>(first), static_cast<Second&&>(second),
                                    static_cast<Third&&>(third));
}
/// For more of them with options, put them into a range.
template <class... Futures>
requires(sizeof...(Futures) > 3) auto wait(Futures&&... futures) {
    return detail::wait_for_handles({}, static_cast<Futures&&>(futures)...);
}

void wait(std::initializer_list<AnyFuture> futures, WaitOptions options = {}) = delete;  // wait(a, b), without braces

}  // namespace asyncio
