#include "core/task_loop.h"
#include "errors/function_name.h"
#include "loop/observers.h"

#include <asyncio/introspect/metrics.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <new>
#include <utility>

namespace asyncio {

class LoopMonitor::State final : public detail::Observer {
public:
    explicit State(detail::LoopCore& loop) : loop_(&loop) { loop.service<detail::Observers>().add(*this); }
    ~State() {
        if (loop_ != nullptr) loop_->service<detail::Observers>().remove(*this);
    }

    void made_ready(detail::ReadyNode& node) noexcept override { note_ready(node, Steady::now()); }
    /// How late that is, the loop's clock says.
    void became_due(detail::ReadyNode& node, TimePoint when) noexcept override {
        std::int64_t late = loop_->read_clock().nanoseconds() - when.nanoseconds();
        note_ready(node, Steady::now() - std::chrono::nanoseconds(std::max<std::int64_t>(late, 0)));
    }
    void before_step(detail::ReadyNode& node) noexcept override {
        begin_ = Steady::now();
        task_ = detail::Ref<detail::FutureBase>(detail::task_of_step(node));
        is_in_step_ = true;
        note_delay(node);
    }
    void after_step() noexcept override {
        if (!std::exchange(is_in_step_, false)) return;
        Seconds taken = Steady::now() - begin_;
        detail::Ref<detail::FutureBase> task = std::move(task_);
        bool is_longest = taken > metrics_.steps.longest();
        metrics_.steps.add(taken);
        if (!is_longest) return;
        try {
            metrics_.longest_step = task ? name_of(static_cast<detail::TaskBase&>(*task)) : "callback";
        } catch (const std::bad_alloc&) {
            metrics_.longest_step.clear();
        }
    }
    void loop_is_closing() noexcept override { loop_ = nullptr; }

    const StepMetrics& metrics() const noexcept { return metrics_; }
    void reset() noexcept { metrics_ = {}; }

private:
    using Steady = std::chrono::steady_clock;

    struct Ready {
        detail::ReadyNode* node;
        std::uint64_t pass;
        Steady::time_point since;
    };

    void note_ready(detail::ReadyNode& node, Steady::time_point since) noexcept {
        try {
            ready_.push_back({&node, loop_->passes(), since});
        } catch (const std::bad_alloc&) {  // its delay is not measured
        }
    }

    /// They run in the order in which they became ready, unless the loop has an order of its own. What was taken out of
    /// the line never has a turn: in the second pass after its own it is forgotten.
    void note_delay(detail::ReadyNode& node) noexcept {
        auto is_lost = [&](const Ready& one) { return one.pass + 1 < loop_->passes() || one.pass > loop_->passes(); };
        while (!ready_.empty() && is_lost(ready_.front())) ready_.pop_front();
        auto found = std::find_if(ready_.begin(), ready_.end(), [&](const Ready& one) { return one.node == &node; });
        if (found == ready_.end()) return;
        metrics_.delays.add(begin_ - found->since);
        ready_.erase(found);
    }
    static std::string name_of(detail::TaskBase& task) {
        return task.name() + " " + detail::function_name(task.function().function_name());
    }

    detail::LoopCore* loop_;
    StepMetrics metrics_;
    Steady::time_point begin_ = {};
    detail::Ref<detail::FutureBase> task_;
    bool is_in_step_ = false;
    std::deque<Ready> ready_;
};

LoopMonitor::LoopMonitor() : LoopMonitor(get_running_loop()) {}

LoopMonitor::LoopMonitor(EventLoop& loop) {
    loop.core().check_closed();
    loop.core().check_thread();
    state_ = std::make_unique<State>(loop.core());
}

LoopMonitor::~LoopMonitor() = default;

const StepMetrics& LoopMonitor::metrics() const noexcept { return state_->metrics(); }
void LoopMonitor::reset() noexcept { state_->reset(); }

}  // namespace asyncio
