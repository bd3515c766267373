#include <asyncio/core/task_base.h>
#include <asyncio/core/waiter.h>

#include "core/late_cancelled_error.h"
#include "core/past_place.h"
#include "core/task_loop.h"
#include "core/tracebacks.h"
#include "detail/probes.h"
#include "detail/threads.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <new>

namespace asyncio::detail {

constinit thread_local NestedChildren nested_children;

namespace {

constinit std::atomic<std::uintptr_t> last_number = 0;

inline std::uintptr_t next_number() noexcept {
    if (!process_has_one_thread()) return last_number.fetch_add(1, std::memory_order_relaxed) + 1;
    // An atomic increment takes a tenth of the time of making a task.
    std::uintptr_t number = last_number.load(std::memory_order_relaxed) + 1;
    last_number.store(number, std::memory_order_relaxed);
    return number;
}

}  // namespace

void TaskName::assign_number() noexcept { assign_number(next_number()); }

TaskBase::TaskBase(LoopCore& loop) noexcept : FutureBase(loop), TimerNode(&TaskBase::step_node) {
    loop.inc_ref();
    if (loop.debug()) [[unlikely]]
        look_at_thread();
}

TaskBase::~TaskBase() {
    if (is_over_) {
        delete traceback_;
    } else {
        destroy_frames();
    }
}

std::coroutine_handle<> TaskBase::root() const noexcept {
    if (is_over_) return nullptr;
    std::coroutine_handle<> frame = innermost_;
    while (frame && PromiseBase::of(frame).link() != nullptr) frame = PromiseBase::of(frame).link()->parent;
    return frame;
}

std::source_location TaskBase::function() const noexcept {
    return is_over_ ? function_ : PromiseBase::of(root()).function();
}

[[gnu::always_inline]] inline void TaskBase::run_frames() noexcept {
    phase_ = Phase::runs;
    ASYNCIO_PROBE1(step__begin, this);
    do {
        innermost_.resume();
    } while (phase_ == Phase::runs);
    ASYNCIO_PROBE1(step__end, this);
}

void TaskBase::run_step() noexcept {
    if (cancel_due_ && !is_started() && !begins_cancelled_) [[unlikely]] {
        // Cancelled before its first step: the body never runs.
        cancel_due_ = false;
        phase_ = Phase::ended;
        destroy_frames();
        conclude_as_cancelled(cancel_request_);
        return;
    }
    run_frames();
    if (phase_ == Phase::ended) conclude();
    task_loop(*loop_).unwinding.is_over();
}

[[gnu::always_inline]] inline void TaskBase::join_loop() noexcept {
    TaskLoop& loop = task_loop(*loop_);
    loop.live_tasks.push_back(*this);
    ++loop.tasks_begun;
    ASYNCIO_PROBE2(task__begin, this, __builtin_bit_cast(const void*, PromiseBase::of(innermost_).function()));
}

/// In debug mode: where the task that runs stands, whose line is that of its latest await.
[[gnu::noinline]] void TaskBase::note_birthplace() noexcept {
    const TaskBase* creator = task_loop(*loop_).current_task;
    if (creator == nullptr || creator->is_over_) return;
    Birthplace place;
    std::coroutine_handle<> frame = creator->innermost_;
    while (frame && place.count < std::size(place.places)) {
        const PromiseBase& promise = PromiseBase::of(frame);
        if (!promise.has_failed()) place.places[place.count++] = {promise.function(), promise.await_at()};
        frame = promise.parent();
    }
    name_.note_birthplace(place);
}

void TaskBase::start(const TaskOptions& options) {
    if (options.name.data() != nullptr) [[unlikely]] {
        name_.assign(options.name);
    } else {
        name_.assign_number();
    }
    bool is_running = loop_->is_running();
    if (options.context) [[unlikely]] {
        context_ = ContextSlot::share(options.context.get());
    } else if (is_running) {
        context_.begin_as_copy(*loop_->current_context());
    } else {
        context_ = ContextSlot::copy_current();
    }
    if (loop_->debug()) [[unlikely]]
        note_birthplace();
    join_loop();
    inc_ref();  // the loop's, until the task is over
    if (options.eager_start.value_or(false) && is_running) [[unlikely]] {
        eager_start();
    } else {
        loop_->push_ready(*this);
    }
}

void TaskBase::start_plainly() noexcept {
    name_.assign_number(next_number());
    if (loop_->debug()) [[unlikely]]
        note_birthplace();
    context_.begin_as_copy(*loop_->current_context());
    join_loop();
    inc_ref();
    loop_->push_ready(*this);
}

void TaskBase::eager_start() {
    constexpr int deepest = 1000;  // each level takes some of the machine's stack; Python gives up sooner
    Ref<TaskBase> keep(this);
    TaskLoop& loop = task_loop(*loop_);
    if (loop.eager_depth >= deepest) {
        leave_loop();
        throw RuntimeError("too many tasks started eagerly inside each other");
    }
    TaskBase* creator = std::exchange(loop.current_task, this);
    if (creator == nullptr) nested_children.begin(__builtin_frame_address(0));
    class Depth {
    public:
        explicit Depth(int& depth) : depth_(depth) { ++depth_; }
        ~Depth() { --depth_; }

    private:
        int& depth_;
    };
    Depth depth(loop.eager_depth);
    try {
        ContextScope scope(loop.current_context(), context_);
        run_step();
    } catch (...) {  // the context is in use
        loop.current_task = creator;
        leave_loop();
        throw;
    }
    loop.current_task = creator;
    if (is_over_) leave_loop();
    loop.throw_fatal_error();
}

void TaskBase::step() {
    bool is_rare = must_cancel_ || context_.is_shared();
    if (is_rare) [[unlikely]]
        return step_slowly();
    TaskLoop& loop = task_loop(*loop_);
    waiter_ = nullptr;
    nested_children.begin(__builtin_frame_address(0));
    loop.current_task = this;
    loop.current_context() = &context_;
    run_frames();
    if (phase_ == Phase::ended) return end_step();
    loop.unwinding.is_over();
    loop.current_context() = loop.base_context();
    loop.current_task = nullptr;
}

[[gnu::always_inline]] inline void TaskBase::leave_step() {
    TaskLoop& loop = task_loop(*loop_);
    loop.current_task = nullptr;
    if (!is_over_) return;
    leave_loop();
    loop.throw_fatal_error();
}

void TaskBase::end_step() {
    TaskLoop& loop = task_loop(*loop_);
    conclude();
    loop.unwinding.is_over();
    loop.current_context() = loop.base_context();
    leave_step();
}

// Out of line, or the registers that it needs are saved in each step.
[[gnu::noinline]] void TaskBase::step_slowly() {
    TaskLoop& loop = task_loop(*loop_);
    if (must_cancel_) {
        must_cancel_ = false;
        cancel_due_ = waiter_ == nullptr || !waiter_->ended_cancelled();
    }
    waiter_ = nullptr;
    nested_children.begin(__builtin_frame_address(0));
    loop.current_task = this;
    if (context_.is_shared()) {
        step_in_shared_context();
    } else {
        loop.current_context() = &context_;
        run_step();
        loop.current_context() = loop.base_context();
    }
    leave_step();
}

void TaskBase::step_in_shared_context() {
    TaskLoop& loop = task_loop(*loop_);
    try {
        ContextScope scope(loop.current_context(), context_);
        run_step();
    } catch (...) {  // the context is in use
        loop.current_task = nullptr;
        loop.exception_handler.tell({.exception = std::current_exception(), .task = AnyTask(Ref<FutureBase>(this))},
                                    [](ExceptionContext& context) { context.message = "a task's step could not run"; });
    }
}

/// The frames are about to go: what is known of them by then is kept in their place.
inline void TaskBase::become_over(std::coroutine_handle<> root) noexcept {
    function_ = PromiseBase::of(root).function();
    traceback_ = nullptr;
    is_over_ = true;
}

inline void TaskBase::end_coroutine(std::coroutine_handle<> root) noexcept {
    become_over(root);
    root.destroy();
    if (has_callable_) drop_callable();
}

[[gnu::always_inline]] inline void TaskBase::conclude() noexcept {
    std::coroutine_handle<> root = innermost_;
    if (PromiseBase::of(root).has_failed()) [[unlikely]]
        return conclude_failed(root);
    end_coroutine(root);
    if (must_cancel_) [[unlikely]] {
        // It cancelled itself and never waited after that.
        must_cancel_ = false;
        drop_result();
        return become_cancelled(cancel_request_);
    }
    finish_in_step();
}

/// finish(), in line and without what only a future has to ask: whether its loop is closed, whether it gathers others.
inline void TaskBase::finish_in_step() noexcept {
    state_ = State::finished;
    if (callbacks_.empty()) return;
    bool is_one_of_ours = callbacks_.has_one() && !has_user_callbacks_;
    if (!is_one_of_ours) [[unlikely]]
        return schedule_callbacks();
    loop_->push_ready(callbacks_.pop());
}

[[gnu::noinline]] void TaskBase::conclude_failed(std::coroutine_handle<> root) noexcept {
    std::exception_ptr error = PromiseBase::of(root).take_error();
    end_coroutine(root);
    end_traceback_of_task(error, *this);
    if (const auto* cancelled = exception_cast<CancelledError>(error)) {
        exception_ = loop_->debug() ? error : late_cancelled_error();
        become_cancelled(cancelled->request());
        return;
    }
    TaskLoop& loop = task_loop(*loop_);
    traceback_ = loop.unwinding.traceback_of(error);
    become_failed(error);
    if (is_unretrieved()) loop.note_failed(*this);
    if (is_keyboard_interrupt_or_system_exit(error)) loop.fatal_error = std::move(error);
}

void TaskBase::conclude_as_cancelled(Ref<CancelRequest> request) noexcept {
    if (has_callable_) drop_callable();
    exception_ = late_cancelled_error();
    become_cancelled(request);
}

void TaskBase::leave_loop() noexcept {
    ASYNCIO_PROBE1(task__end, this);
    decltype(TaskLoop::live_tasks)::take_out(*this);
    dec_ref();
}

void TaskBase::leave_queues() noexcept {
    if (is_scheduled()) loop_->remove_timer(*this);
    ReadyNode::unlink();
}

void TaskBase::destroy_frames() noexcept {
    // Innermost first, one by one: a chain of any length ends without recursion.
    leave_queues();
    std::coroutine_handle<> frame = innermost_;
    if (frame) become_over(root());
    while (frame) {
        CoroLink* link = PromiseBase::of(frame).link();
        std::coroutine_handle<> parent = link != nullptr ? link->parent : nullptr;
        if (link != nullptr) link->child = nullptr;
        frame.destroy();
        frame = parent;
    }
}

void TaskBase::report_abandoned() noexcept {
    if (!report_pending_) return;
    exception_handler_of(*loop_).report({.task = AnyTask(Ref<FutureBase>(this))}, [this](ExceptionContext& context) {
        context.message = "Task was destroyed but it is pending!";
        context.stack = stack(std::nullopt);
    });
}

void TaskBase::abandon() noexcept {
    Ref<TaskBase> keep(this);
    destroy_frames();
    if (has_callable_) drop_callable();
    drop_callbacks();
    leave_loop();
}

void TaskBase::yield(std::coroutine_handle<> frame) noexcept {
    innermost_ = frame;
    phase_ = Phase::blocked;
    loop_->push_ready(*this);
}

void TaskBase::go_on() noexcept {
    set_run(&TaskBase::step_node);
    loop_->push_ready(*this);
}

void TaskBase::note_unwinding(const PromiseBase& frame, const std::exception_ptr& error) noexcept {
    task_loop(*loop_).unwinding.passes({frame.function(), frame.await_at()}, error);
}

std::vector<StackEntry> TaskBase::stack(std::optional<int> limit) const {
    std::vector<FramePlace> places;
    std::size_t most = limit ? static_cast<std::size_t>(std::max(*limit, 0)) : SIZE_MAX;
    if (is_over_) {
        if (traceback_ != nullptr) places = *traceback_;
        if (places.size() > most) places.resize(most);
    } else {
        std::coroutine_handle<> frame = innermost_;
        while (frame && places.size() < most) {
            const PromiseBase& promise = PromiseBase::of(frame);
            places.push_back({promise.function(), promise.await_at()});
            frame = promise.parent();
        }
        std::reverse(places.begin(), places.end());
    }
    std::vector<StackEntry> entries;
    entries.reserve(places.size());
    for (const FramePlace& place : places) entries.push_back(is_over_ ? past_stack_entry(place) : stack_entry(place));
    return entries;
}

namespace {

// Out of line, or the registers that it needs are saved for each task that is started without it.
[[gnu::noinline]] void start_through_factory(TaskBase& task, const TaskOptions& options) {
    TaskLoop& loop = task_loop(task.loop());
    std::shared_ptr<TaskFactory> factory = loop.task_factory;
    AnyTask made = (*factory)(loop.facade(), NewTask(Ref<TaskBase>(&task)), options);
    if (made.state_or_null() != &task) {
        throw TypeError("a task factory must return the task that NewTask::start() gave it");
    }
}

}  // namespace

void start_task(TaskBase& task) {
    bool is_plain = task.loop().is_running() && !task_loop(task.loop()).task_factory;
    if (!is_plain) [[unlikely]]
        return start_task(task, TaskOptions());
    task.start_plainly();
}

void start_task(TaskBase& task, const TaskOptions& options) {
    if (!task_loop(task.loop()).task_factory) [[likely]]
        return task.start(options);
    start_through_factory(task, options);
}

TaskBase* task_of_step(ReadyNode& node) noexcept {
    if (node.run_function() == &TaskBase::step_node || node.run_function() == &Waiter::run_turn) {
        return &static_cast<TaskBase&>(node);
    }
    return nullptr;
}

}  // namespace asyncio::detail
