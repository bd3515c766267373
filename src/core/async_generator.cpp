#include <asyncio/core/async_generator.h>
#include <asyncio/errors/log.h>

#include "core/task_loop.h"
#include "core/wait_story.h"

#include <cstdio>
#include <vector>

namespace asyncio {
namespace detail {

GeneratorBase::~GeneratorBase() {
    destroy_frame();
    if (loop_ != nullptr) {
        ListHook<OpenGenerators>::unlink();
        loop_->dec_ref();
    }
}

void GeneratorBase::destroy_frame() noexcept {
    state_ = State::over;
    if (link_.child) std::exchange(link_.child, nullptr).destroy();
}

void GeneratorBase::join_loop() {
    loop_ = &running_core();
    loop_->inc_ref();
    TaskLoop& loop = task_loop(*loop_);
    loop.generators.push_back(*this);
    if (loop.asyncgens_shutdown_called) {
        log(LogLevel::warning,
            "asynchronous generator " + repr() + " was scheduled after loop.shutdown_asyncgens() call");
    }
}

void GeneratorBase::check_not_running(const char* operation) const {
    if (state_ == State::running) {
        throw RuntimeError(std::string(operation) + "(): asynchronous generator is already running");
    }
}

bool GeneratorBase::begin_first(void* item) {
    check_not_running("anext");
    if (state_ == State::over) return false;
    join_loop();
    state_ = State::running;
    item_ = item;
    return true;
}

bool GeneratorBase::begin_throw(std::exception_ptr exception, void* item) {
    check_not_running("athrow");
    if (state_ == State::over || is_closing_) return false;
    if (state_ == State::created) {
        join_loop();
        destroy_frame();
        std::rethrow_exception(std::move(exception));
    }
    state_ = State::running;
    item_ = item;
    thrown_ = std::move(exception);
    return true;
}

bool GeneratorBase::begin_close() {
    check_not_running("aclose");
    if (state_ == State::created) {
        join_loop();
        destroy_frame();
    }
    if (state_ == State::over || is_closing_) return false;
    is_closing_ = true;
    state_ = State::running;
    item_ = nullptr;
    thrown_ = std::make_exception_ptr(GeneratorExit());
    return true;
}

bool GeneratorBase::resume_closing(TaskBase& task, std::coroutine_handle<> parent) noexcept {
    if (task.cancel_is_due()) thrown_ = std::make_exception_ptr(CancelledError(task.take_due_cancel()));
    return resume(task, parent);
}

void GeneratorBase::rethrow_thrown() { std::rethrow_exception(std::exchange(thrown_, nullptr)); }

void GeneratorBase::end() {
    state_ = State::over;
    std::exception_ptr error = link_.end_child();
    if (error) std::rethrow_exception(std::move(error));
}

void GeneratorBase::end_closing() {
    if (state_ != State::running) return;
    try {
        end_step();
    } catch (const GeneratorExit&) {
    }
    if (state_ != State::over) throw RuntimeError("async generator ignored GeneratorExit");
}

std::string GeneratorBase::repr() const {
    char address[32];
    std::snprintf(address, sizeof address, "%p", static_cast<const void*>(this));
    return "<async_generator object " + stack_entry({function_, function_}).function + " at " + address + ">";
}

namespace {

Coro<> close_generator(Ref<GeneratorBase> generator) {
    CloseAwaiter close(*generator);
    co_await close;
}

Task<> start_closing(LoopCore& loop, Ref<GeneratorBase> generator) {
    check_open(loop);
    auto task = new_task<NoExtra>(loop, close_generator(std::move(generator)));
    task->begin_even_if_cancelled();
    start_task(*task, {});
    return Task<>(std::move(task));
}

}  // namespace

void GeneratorBase::drop() noexcept {
    bool stands_at_yield = state_ == State::suspended && !is_closing_;
    if (stands_at_yield && !std::exchange(is_finalized_, true) && close_later()) return;
    delete this;
}

bool GeneratorBase::close_later() noexcept {
    ListHook<OpenGenerators>::unlink();
    if (loop_->is_closed()) return false;
    references_ = 1;  // so that a failure does not end it twice
    try {
        task_loop(*loop_).facade().call_soon([generator = Ref<GeneratorBase>(this)]() mutable {
            LoopCore& loop = *generator->loop_;
            start_closing(loop, std::move(generator));
        });
    } catch (...) {
        exception_handler_of(*loop_).report({.exception = std::current_exception()}, [this](ExceptionContext& context) {
            context.asyncgen = repr();
            context.message = "cannot close asynchronous generator " + context.asyncgen;
        });
        references_ = 0;
        return false;
    }
    --references_;  // the callback has it
    return true;
}

void throw_no_generator() {
    throw RuntimeError("this AsyncGenerator is empty: it was moved from, or never had a generator");
}
void throw_null_exception() { throw TypeError("athrow() needs an exception, not a null exception_ptr"); }

namespace {

/// A wait for several tasks, however they end: Python's gather(return_exceptions=True). Cancelling it cancels them.
class AllDone final : public Waiter {
public:
    explicit AllDone(const std::vector<Task<>>& tasks) : Waiter(WaitKind::several), tasks_(tasks), left_(tasks.size()) {
        std::vector<Node>(tasks.size()).swap(nodes_);
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            if (tasks[i].done()) {  // with an eager task factory
                --left_;
                continue;
            }
            nodes_[i].owner = this;
            tasks[i].state_or_null()->add_node(nodes_[i]);
        }
    }
    bool cancel(const Ref<CancelRequest>& request) override {
        bool any = false;
        for (const Task<>& task : tasks_) any = task.state_or_null()->cancel(request) || any;
        if (any) {
            passed_on_ = true;
            cancel_request_ = request;
        }
        return any;
    }
    void tell(WaitStory& story) const override {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].is_linked() || !tasks_[i].done()) story.awaits(tasks_[i].state_or_null());
        }
        story.text = "<end of " + counted(story.awaited.size(), "asynchronous generator") + ">";
    }
    bool await_ready() const noexcept { return left_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
        suspend(*frame.promise().task(), frame);
    }
    void await_resume() {
        if (passed_on_) throw CancelledError(std::move(cancel_request_));
        check();
    }

private:
    struct Node : ReadyNode {
        Node() noexcept : ReadyNode(&AllDone::one_is_done) {}
        AllDone* owner = nullptr;
    };
    static void one_is_done(ReadyNode& node) {
        AllDone& self = *static_cast<Node&>(node).owner;
        if (--self.left_ == 0) self.wake();
    }

    const std::vector<Task<>>& tasks_;
    std::size_t left_;
    std::vector<Node> nodes_;
    bool passed_on_ = false;  // the request to cancel
    Ref<CancelRequest> cancel_request_;
};

/// What is awaited: made where it waits, so that it is never moved.
class WaitForAll : public NativeAwaitable {
public:
    explicit WaitForAll(const std::vector<Task<>>& tasks) noexcept : tasks_(tasks) {}
    AllDone operator co_await() const { return AllDone(tasks_); }

private:
    const std::vector<Task<>>& tasks_;
};

}  // namespace
}  // namespace detail

Coro<> EventLoop::shutdown_asyncgens() {
    detail::TaskLoop& loop = detail::task_loop(*core_);
    loop.asyncgens_shutdown_called = true;
    if (loop.generators.empty()) co_return;
    std::vector<detail::Ref<detail::GeneratorBase>> generators;
    while (!loop.generators.empty()) {
        generators.push_back(detail::Ref<detail::GeneratorBase>(&loop.generators.pop_front()));
    }
    std::vector<Task<>> tasks;
    for (const auto& generator : generators) {
        tasks.push_back(detail::start_closing(loop, generator));
        // As those that gather() makes: a loop that is stopped meanwhile says nothing of them.
        static_cast<detail::TaskBase&>(*tasks.back().state_or_null()).do_not_report_pending();
    }
    co_await detail::WaitForAll(tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        std::exception_ptr error = tasks[i].cancelled() ? nullptr : tasks[i].exception();
        if (!error || detail::is_base_exception(error)) continue;
        loop.exception_handler.tell({.exception = error}, [&](ExceptionContext& context) {
            context.asyncgen = generators[i]->repr();
            context.message = "an error occurred during closing of asynchronous generator " + context.asyncgen;
        });
    }
}

}  // namespace asyncio
