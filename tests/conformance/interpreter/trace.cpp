#include "trace.h"

#include "deadlock_watch.h"
#include "loop/loop_core.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace conformance {

using asyncio::AnyTask;

asyncio::ContextVar<int> x_var{"x", 0};
asyncio::ContextVar<int> y_var{"y", 0};
asyncio::ContextVar<int> z_var{"z"};

namespace {

Trace* under_way = nullptr;

}  // namespace

void Trace::run(const std::vector<Main>& mains) {
    under_way = this;
    asyncio::set_log_handler(&Trace::on_log);
    asyncio::Runner runner({.clock = asyncio::VirtualClock{}});
    loop_ = &runner.get_loop();
    std::optional<DeadlockWatch> watch;
    if (watches_deadlocks_) watch.emplace(*loop_);
    loop_->set_exception_handler(
        [this](asyncio::EventLoop&, const asyncio::ExceptionContext& context) { on_report(context); });
    loop_->call_at(loop_->time() + watchdog_first * tick.count(), [this] { watchdog(); });
    for (const Main& main : mains) {
        std::string end;
        try {
            end = "end " + std::to_string(runner.run(main()));
        } catch (...) {
            end = "end ! " + describe(std::current_exception());
        }
        lines_.push_back(end);
        handler_mode_ = 0;
    }
    try {
        runner.close();
    } catch (...) {
        lines_.push_back("closing ! " + describe(std::current_exception()));
    }
    over_ = true;
}

std::vector<std::string> Trace::lines() {
    asyncio::set_log_handler(nullptr);
    std::sort(lost_.begin(), lost_.end());
    lines_.insert(lines_.end(), lost_.begin(), lost_.end());
    return std::move(lines_);
}

/// What has come to a standstill is cancelled.
void Trace::watchdog() {
    ++shots_;
    log("watchdog");
    loop_->call_later(watchdog_next * tick.count(), [this] { watchdog(); });
    if (shots_ > watchdog_most) {
        log("stuck");
        over_ = true;
        throw asyncio::SystemExit(9);
    }
    for (const AnyTask& task : all_tasks(*loop_)) task.cancel("watchdog");
}

std::string Trace::name_of(const AnyTask& task) {
    std::string name = task.get_name();
    if (!name.starts_with("Task-")) return name;
    int number = std::stoi(name.substr(5));
    if (first_name_ < 0) first_name_ = number;
    return "T" + std::to_string(number - first_name_);
}

void Trace::write(const std::string& line) {
    if (over_) return;
    if (lines_.size() >= most_lines) {
        if (lines_.size() == most_lines) lines_.push_back("...");
        return;
    }
    AnyTask task = current_task(*loop_);
    std::string who = "-";
    if (task) {
        who = name_of(task);
        if (task.cancelling() > 0) who += "+" + std::to_string(task.cancelling());
    }
    lines_.push_back(std::to_string(loop_->core().passes()) + " " +
                     std::to_string(std::lround(loop_->time().seconds() / tick.count())) + " " + who + line);
}

/// The loop's exception handler.
void Trace::on_report(const asyncio::ExceptionContext& context) {
    std::string message = context.message;
    if (message.find("never retrieved") != std::string::npos || message.find("destroyed") != std::string::npos) {
        // That it is told shows, not when. differs: when a lost exception is told; a running task without a handle
        lost_.push_back("lost " + message + (context.task ? " task" : "") +
                        (context.exception ? " " + log_line(context.exception) : ""));
        return;
    }
    if (message.starts_with("Exception in callback")) message = "Exception in callback";
    message = message.substr(0, message.find("<async_generator"));
    std::string about = std::to_string(x_var.get());
    if (!context.asyncgen.empty()) about += " asyncgen";
    if (context.future) about += " future";
    if (context.handle) about += " handle";
    if (context.task) about += " task";
    log("report", asyncio::detail::quoted(message), context.exception ? describe(context.exception) : "-", about);
    if (handler_mode_ == 1) throw asyncio::ValueError("handler");
    if (handler_mode_ == 2) throw asyncio::KeyboardInterrupt();
}

/// The line that names the exception, of a traceback: the last one, but for what is in a group, and for who cancelled.
static std::string error_of_log(std::string_view traceback) {
    std::string_view error;
    while (!traceback.empty()) {
        std::string_view line = traceback.substr(0, traceback.find('\n'));
        traceback.remove_prefix(std::min(line.size() + 1, traceback.size()));
        constexpr std::string_view of_group = "  | ";
        if (line.starts_with(of_group)) line.remove_prefix(of_group.size());
        bool is_note = line.starts_with("cancelled at ") || line.starts_with("cancelled by ");
        if (!line.empty() && line[0] != ' ' && !is_note) error = line;
    }
    return std::string(error);
}

/// What the default exception handler says; also of futures that are dropped when the loop is gone.
void Trace::on_log(asyncio::LogLevel level, std::string_view message) {
    if (level != asyncio::LogLevel::error) return;
    // A frame is being destroyed with the loop. differs: a failed release at the end of `async with`
    if (message.starts_with("a guard could not release")) return;
    Trace& trace = *under_way;
    std::string first(message.substr(0, message.find('\n')));
    std::string last = "-";
    if (first.size() < message.size()) last = shown_message(error_of_log(message.substr(first.size() + 1)));
    if (!trace.over_) {
        trace.log("logged", first, last);
    } else if (first.find("never retrieved") != std::string::npos) {
        trace.lost_.push_back("lost " + first + " " + last);
    }
}

}  // namespace conformance
