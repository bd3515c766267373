#include <asyncio/tasks/runner.h>

#include "core/task_loop.h"

#include <asyncio/core/deadlock.h>
#include <asyncio/errors/log.h>

#include <memory>
#include <new>
#include <vector>

namespace asyncio {

namespace {

constexpr Seconds thread_join_timeout = 300;

/// A future that is done when all of several tasks are: the bare bones of gather(return_exceptions=True).
class AllDone {
public:
    AllDone(EventLoop& loop, const std::vector<AnyTask>& tasks)
        : done_(loop.create_future<>()), nodes_(new Node[tasks.size()]), left_(tasks.size()) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            nodes_[i].all = this;
            tasks[i].state_or_null()->add_node(nodes_[i]);
        }
    }
    const Future<>& future() const { return done_; }

private:
    struct Node : detail::ReadyNode {
        Node() : ReadyNode(&Node::one_is_done) {}
        static void one_is_done(ReadyNode& node) {
            AllDone& all = *static_cast<Node&>(node).all;
            if (--all.left_ == 0) all.done_.set_result();
        }
        AllDone* all = nullptr;
    };
    Future<> done_;
    std::unique_ptr<Node[]> nodes_;
    std::size_t left_;
};

void report_failed(EventLoop& loop, const AnyTask& task) {
    if (task.cancelled() || !task.exception()) return;
    detail::LoopExceptionHandler& handler = exception_handler_of(loop.core());
    handler.tell({.exception = task.exception(), .task = task}, [&](ExceptionContext& context) {
        context.message = "unhandled exception during asyncio.run() shutdown";
        context.stack = task.get_stack();
    });
}

/// The same as below where memory lacks for a list of them.
void cancel_one_by_one(EventLoop& loop) {
    auto& tasks = task_loop(loop.core()).live_tasks;
    for (detail::TaskBase& task : tasks) AnyTask(detail::Ref<detail::FutureBase>(&task)).cancel();
    while (!tasks.empty()) {
        AnyTask task(detail::Ref<detail::FutureBase>(&tasks.front()));
        try {
            loop.run_until_complete(AnyFuture(task));
        } catch (...) {
            bool is_of_task = task.done() && !detail::current_exception_is_keyboard_interrupt_or_system_exit();
            if (!is_of_task) throw;
        }
        report_failed(loop, task);
    }
}

void cancel_all_tasks(EventLoop& loop) {
    if (task_loop(loop.core()).live_tasks.empty()) return;
    std::vector<AnyTask> tasks = all_tasks(loop);
    if (tasks.empty()) return;
    for (const AnyTask& task : tasks) task.cancel();
    AllDone all(loop, tasks);
    loop.run_until_complete(all.future());
    for (const AnyTask& task : tasks) report_failed(loop, task);
}

}  // namespace

void detail::check_no_running_loop(const char* sentence) {
    if (running_core_or_null() != nullptr) throw RuntimeError(sentence);
}

Runner::Runner(RunOptions options) : options_(options) {}

Runner::~Runner() {
    try {
        close();
    } catch (...) {
        std::exception_ptr error = std::current_exception();
        try {
            detail::log(LogLevel::error, "closing an asyncio::Runner failed: " + repr(error));
        } catch (const std::bad_alloc&) {
            detail::log(LogLevel::error, "closing an asyncio::Runner failed, and memory lacks to say how");
        }
    }
    if (loop_ != nullptr && !loop_->is_running()) delete loop_;
}

void Runner::check_can_run() {
    detail::check_no_running_loop("Runner.run() cannot be called from a running event loop");
}

EventLoop& Runner::get_loop() {
    if (closed_) throw RuntimeError("Runner is closed");
    if (loop_ == nullptr) {
        loop_ = options_.loop_factory != nullptr
                    ? new EventLoop(options_.loop_factory())
                    : new EventLoop({.clock = options_.clock, .on_deadlock = options_.on_deadlock});
        if (options_.debug) loop_->set_debug(*options_.debug);
        context_ = copy_context();
    }
    return *loop_;
}

void Runner::run_until_done(const AnyTask& main) {
    detail::LoopCore& core = loop_->core();
    detail::SigintWatch watch(core.io());
    int interrupts = 0;
    if (watch.installed()) {
        core.signals().set_sigint_watch(&watch, [&](int count) {
            interrupts = count;
            if (count > 1 || main.done()) throw KeyboardInterrupt();
            main.cancel();
        });
    }
    class WatchEnd {
    public:
        explicit WatchEnd(detail::LoopCore& core) : core_(core) {}
        ~WatchEnd() { core_.signals().set_sigint_watch(nullptr, nullptr); }

    private:
        detail::LoopCore& core_;
    };
    WatchEnd watch_end(core);
    try {
        loop_->run_until_complete(AnyFuture(main));
    } catch (const CancelledError&) {
        if (interrupts > 0 && main.uncancel() == 0) throw KeyboardInterrupt();
        throw;
    } catch (...) {
        if (main.done()) main.state_or_null()->mark_retrieved();  // it has just been thrown to the caller
        throw;
    }
}

void Runner::run_to_the_end(const AnyTask& main) {
    std::exception_ptr failure;
    try {
        run_until_done(main);
    } catch (...) {
        failure = std::current_exception();
    }
    try {
        close();
    } catch (...) {  // tasks that cannot go on cannot be ended either, perhaps
        if (!failure || exception_cast<DeadlockError>(failure) == nullptr) throw;
    }
    if (failure) std::rethrow_exception(failure);
}

void Runner::close() {
    if (loop_ == nullptr || closed_) return;
    if (loop_->is_running()) throw RuntimeError("Cannot close a running event loop");
    EventLoop* const loop = loop_;  // which stays as long as the runner, closed: others may have a reference to it
    class Closed {
    public:
        explicit Closed(Runner& runner) : runner_(runner) {}
        ~Closed() {
            runner_.closed_ = true;
            runner_.loop_->close();
        }

    private:
        Runner& runner_;
    };
    Closed closed(*this);
    try {
        cancel_all_tasks(*loop);
    } catch (const std::bad_alloc&) {
        cancel_one_by_one(*loop);
    }
    if (task_loop(loop->core()).shut_down_at_once()) return;
    std::exception_ptr lack;
    try {
        loop->run_until_complete(loop->shutdown_asyncgens());
    } catch (const std::bad_alloc&) {
        lack = std::current_exception();
    }
    try {
        loop->run_until_complete(loop->shutdown_default_executor(thread_join_timeout));
    } catch (const std::bad_alloc&) {  // the threads are waited for all the same, though not on the side
        if (Executor* executor = loop->core().outside().executor_or_null()) executor->shutdown(true);
    }
    if (lack) std::rethrow_exception(lack);
}

}  // namespace asyncio
