#include <asyncio/tasks/run_coroutine_threadsafe.h>

#include <memory>

namespace asyncio::detail {

Submission::~Submission() {
    if (future_) future_->give_up();  // it never arrived
}

void Submission::arrive() {
    Ref<ConcurrentFutureBase> future = std::move(future_);
    try {
        future->follow(create_task());
    } catch (...) {
        if (current_exception_is_keyboard_interrupt_or_system_exit()) {
            future->give_up();
        } else {
            future->fail(std::current_exception());
        }
        throw;  // to the loop's exception handler
    }
}

void submit(Submission* submission, EventLoop& loop) {
    auto let_go = [](Submission* share) { share->let_go(); };
    std::unique_ptr<Submission, decltype(let_go)> ours(submission);
    std::unique_ptr<Submission, decltype(let_go)> its(submission);
    try {
        loop.call_soon_threadsafe([submitted = std::move(its)] { submitted->arrive(); });
    } catch (...) {
        submission->give_back();
        throw;
    }
}

}  // namespace asyncio::detail
