#pragma once

#include <asyncio/core/future.h>
#include <asyncio/core/task.h>
#include <asyncio/detail/invoke.h>
#include <asyncio/loop/handle.h>
#include <asyncio/loop/seconds.h>

namespace asyncio::detail {
namespace bases {

/// The callbacks of a loop with options behind three to six arguments, and its tasks with options behind one to six:
/// options in braces can stand behind so many as there are functions for.
template <class Loop>
class CallsWithOptions {
public:
    template <class F, class First, class Second, class Third>
    requires(!TakesOptions<F, First, Second, Third>) Handle
        call_soon(F&& callback, First&& first, Second&& second, Third&& third, CallbackOptions options) {
        return loop().call_soon(Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                           static_cast<Second&&>(second), static_cast<Third&&>(third)),
                                options);
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires(!TakesOptions<F, First, Second, Third, Fourth>) Handle
        call_soon(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                  CallbackOptions options) {
        return loop().call_soon(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth>) Handle
        call_soon(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                  CallbackOptions options) {
        return loop().call_soon(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth>) Handle
        call_soon(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                  Sixth&& sixth, CallbackOptions options) {
        return loop().call_soon(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                       static_cast<Sixth&&>(sixth)),
            options);
    }
    template <class F, class First, class Second, class Third>
    requires(!TakesOptions<F, First, Second, Third>) Handle
        call_soon_threadsafe(F&& callback, First&& first, Second&& second, Third&& third, CallbackOptions options) {
        return loop().call_soon_threadsafe(Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                                      static_cast<Second&&>(second), static_cast<Third&&>(third)),
                                           options);
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires(!TakesOptions<F, First, Second, Third, Fourth>) Handle
        call_soon_threadsafe(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                             CallbackOptions options) {
        return loop().call_soon_threadsafe(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth>) Handle
        call_soon_threadsafe(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                             Fifth&& fifth, CallbackOptions options) {
        return loop().call_soon_threadsafe(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth>) Handle
        call_soon_threadsafe(F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                             Fifth&& fifth, Sixth&& sixth, CallbackOptions options) {
        return loop().call_soon_threadsafe(
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                       static_cast<Sixth&&>(sixth)),
            options);
    }
    template <class F, class First, class Second, class Third>
    requires(!TakesOptions<F, First, Second, Third>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, Second&& second, Third&& third,
                   CallbackOptions options) {
        return loop().call_later(delay,
                                 Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                            static_cast<Second&&>(second), static_cast<Third&&>(third)),
                                 options);
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires(!TakesOptions<F, First, Second, Third, Fourth>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                   CallbackOptions options) {
        return loop().call_later(
            delay,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                   Fifth&& fifth, CallbackOptions options) {
        return loop().call_later(
            delay,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth>) TimerHandle
        call_later(Seconds delay, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                   Fifth&& fifth, Sixth&& sixth, CallbackOptions options) {
        return loop().call_later(
            delay,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                       static_cast<Sixth&&>(sixth)),
            options);
    }
    template <class F, class First, class Second, class Third>
    requires(!TakesOptions<F, First, Second, Third>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, Second&& second, Third&& third, CallbackOptions options) {
        return loop().call_at(when,
                              Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first),
                                         static_cast<Second&&>(second), static_cast<Third&&>(third)),
                              options);
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires(!TakesOptions<F, First, Second, Third, Fourth>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                CallbackOptions options) {
        return loop().call_at(
            when,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                Fifth&& fifth, CallbackOptions options) {
        return loop().call_at(
            when,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth)),
            options);
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth>) TimerHandle
        call_at(TimePoint when, F&& callback, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                Fifth&& fifth, Sixth&& sixth, CallbackOptions options) {
        return loop().call_at(
            when,
            Loop::bind(static_cast<F&&>(callback), static_cast<First&&>(first), static_cast<Second&&>(second),
                       static_cast<Third&&>(third), static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                       static_cast<Sixth&&>(sixth)),
            options);
    }

    template <class F, class First>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first));
    }
    template <class F, class First, class Second>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first),
                                       static_cast<Second&&>(second));
    }
    template <class F, class First, class Second, class Third>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first),
                                       static_cast<Second&&>(second), static_cast<Third&&>(third));
    }
    template <class F, class First, class Second, class Third, class Fourth>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth,
                     TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first),
                                       static_cast<Second&&>(second), static_cast<Third&&>(third),
                                       static_cast<Fourth&&>(fourth));
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                     TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first),
                                       static_cast<Second&&>(second), static_cast<Third&&>(third),
                                       static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth));
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth>
    requires PerhapsCoroutineFunction<F>
    auto create_task(F&& function, First&& first, Second&& second, Third&& third, Fourth&& fourth, Fifth&& fifth,
                     Sixth&& sixth, TaskOptions options) {
        return create_callable_task_on(loop().core(), options, static_cast<F&&>(function), static_cast<First&&>(first),
                                       static_cast<Second&&>(second), static_cast<Third&&>(third),
                                       static_cast<Fourth&&>(fourth), static_cast<Fifth&&>(fifth),
                                       static_cast<Sixth&&>(sixth));
    }

    // One more: says what to write.
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth, Seventh>) Handle
        call_soon(F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, CallbackOptions) {
        refuse_options<F>();
        return {};
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth, Seventh>) Handle
        call_soon_threadsafe(F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, CallbackOptions) {
        refuse_options<F>();
        return {};
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth, Seventh>) TimerHandle
        call_later(Seconds, F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, CallbackOptions) {
        refuse_options<F>();
        return {};
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires(!TakesOptions<F, First, Second, Third, Fourth, Fifth, Sixth, Seventh>) TimerHandle
        call_at(TimePoint, F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, CallbackOptions) {
        refuse_options<F>();
        return {};
    }
    template <class F, class First, class Second, class Third, class Fourth, class Fifth, class Sixth, class Seventh>
    requires PerhapsCoroutineFunction<F>
    void create_task(F&&, First&&, Second&&, Third&&, Fourth&&, Fifth&&, Sixth&&, Seventh&&, TaskOptions) {
        refuse_options<F>();
    }

private:
    Loop& loop() noexcept { return static_cast<Loop&>(*this); }
};

}  // namespace bases
using bases::CallsWithOptions;
}  // namespace asyncio::detail
