#pragma once

#include <asyncio/core/foreign.h>
#include <asyncio/core/promise.h>
#include <asyncio/core/task_base.h>
#include <asyncio/detail/intrusive_list.h>
#include <asyncio/detail/pool.h>
#include <asyncio/errors/exceptions.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

namespace asyncio {

/// Thrown at the `co_yield` of an asynchronous generator that is closed there. Catch it to clean up, and throw it on
/// with `throw;`. Python: GeneratorExit.
class GeneratorExit final : public BaseException {};

namespace detail {

class GeneratorBase;
struct OpenGenerators;  // the tag of the loop's list of generators that have begun

/// An asynchronous generator, whatever it yields: owns its frame, which whoever awaits a step runs as if it were a
/// coroutine of its own.
class GeneratorBase : public Pooled, public ListHook<OpenGenerators> {
public:
    explicit GeneratorBase(std::coroutine_handle<> frame) noexcept : function_(PromiseBase::of(frame).function()) {
        link_.child = frame;
    }
    ~GeneratorBase();
    void inc_ref() noexcept { ++references_; }
    void dec_ref() noexcept {
        if (--references_ == 0) drop();
    }

    // A step: one of the first three, and if that is true resume(), as run_child() does; end_step() when the frame has
    // yielded or ended.
    bool begin_next(void* item) {
        if (state_ != State::suspended) [[unlikely]]
            return begin_first(item);
        state_ = State::running;
        item_ = item;
        return true;
    }
    bool begin_throw(std::exception_ptr exception, void* item);
    bool begin_close();
    bool resume(TaskBase& task, std::coroutine_handle<> parent) noexcept { return link_.run_child(&task, parent); }
    /// The same for a closing task, which may have been cancelled before it began: then the generator sees that.
    bool resume_closing(TaskBase& task, std::coroutine_handle<> parent) noexcept;
    /// Throws what the generator threw.
    void end_step() {
        if (state_ != State::running) return;  // it had ended before
        state_ = State::suspended;
        if (link_.child.done()) [[unlikely]]
            end();
    }
    void end_closing();

    // What the generator's own frame does.
    void* item() const noexcept { return item_; }  // where to put what is yielded; null: nobody wants it
    void suspend_at_yield(TaskBase& task) noexcept { task.set_innermost(link_.parent); }
    void throw_in() {
        if (thrown_) [[unlikely]]
            rethrow_thrown();
    }

    std::string repr() const;

private:
    enum class State : std::uint8_t { created, suspended, running, over };

    void check_not_running(const char* operation) const;
    bool begin_first(void* item);
    void join_loop();
    void destroy_frame() noexcept;
    void end();
    void drop() noexcept;
    bool close_later() noexcept;
    [[noreturn]] void rethrow_thrown();

    CoroLink link_;
    void* item_ = nullptr;
    std::exception_ptr thrown_;  // comes out of the co_yield at which the frame stands
    std::uint32_t references_ = 0;
    State state_ = State::created;
    bool is_closing_ = false;    // aclose() was called; it may have been ignored
    bool is_finalized_ = false;  // the last handle is gone
    LoopCore* loop_ = nullptr;   // of its first step
    std::source_location function_;
};

/// `co_yield`: gives the item to whoever awaits the step, and suspends the generator until the next one.
class YieldAwaiter : public NativeAwaitable {
public:
    explicit YieldAwaiter(GeneratorBase& generator) noexcept : generator_(generator) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
        generator_.suspend_at_yield(*frame.promise().task());
    }
    void await_resume() const { generator_.throw_in(); }

private:
    GeneratorBase& generator_;
};

/// `aclose()` under way.
class [[nodiscard]] [[gnu::warn_unused]] CloseAwaiter final : public NativeAwaitable {
public:
    explicit CloseAwaiter(GeneratorBase& generator) noexcept : generator_(generator) {}
    bool await_ready() { return !generator_.begin_close(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        return generator_.resume_closing(*parent.promise().task(), parent);
    }
    void await_resume() { generator_.end_closing(); }

private:
    GeneratorBase& generator_;
};

[[noreturn]] void throw_no_generator();
[[noreturn]] void throw_null_exception();

}  // namespace detail
}  // namespace asyncio
