#include "run.h"

#include "completed.h"
#include "core/loop_core.h"
#include "things.h"
#include "walk.h"

#include <algorithm>
#include <cmath>

namespace conformance {

using asyncio::AnyTask;
using asyncio::Coro;

asyncio::ContextVar<int> x_var{"x", 0};
asyncio::ContextVar<int> y_var{"y", 0};
asyncio::ContextVar<int> z_var{"z"};

namespace {

Run* logging_run = nullptr;

}  // namespace

Run::Run(const Node& program) : program_(program) {}
Run::~Run() = default;

// The trace.

std::string Run::name_of(const AnyTask& task) {
    std::string name = task.get_name();
    if (!name.starts_with("Task-")) return name;
    int number = std::stoi(name.substr(5));
    if (first_name_ < 0) first_name_ = number;
    return "T" + std::to_string(number - first_name_);
}

void Run::write(const std::string& line) {
    if (over_) return;
    if (lines_.size() >= most_lines) {
        if (lines_.size() == most_lines) lines_.push_back("...");
        return;
    }
    AnyTask task = current();
    std::string who = "-";
    if (task) {
        who = name_of(task);
        if (task.cancelling() > 0) who += "+" + std::to_string(task.cancelling());
    }
    lines_.push_back(std::to_string(loop->core().passes()) + " " +
                     std::to_string(std::lround(loop->time().seconds() / tick.count())) + " " + who + line);
}

void Run::on_report(const asyncio::ExceptionContext& context) {
    std::string message = context.message;
    if (message.find("never retrieved") != std::string::npos || message.find("destroyed") != std::string::npos) {
        // When this is told depends on what keeps an object alive; that it is told does not.
        lost_.push_back("lost " + message + (context.exception ? " " + log_line(context.exception) : ""));
        return;
    }
    if (message.starts_with("Exception in callback") || message.starts_with("Exception in a done callback")) {
        message = "Exception in callback";
    }
    message = message.substr(0, message.find("<async_generator"));
    log("report", asyncio::detail::quoted(message), context.exception ? describe(context.exception) : "-", x_var.get());
    if (handler_mode == 1) throw asyncio::ValueError("handler");
    if (handler_mode == 2) throw asyncio::KeyboardInterrupt();
}

/// What the default exception handler says; also of futures that are dropped when the loop is gone.
void Run::on_log(asyncio::LogLevel level, std::string_view message) {
    if (level != asyncio::LogLevel::error) return;
    if (message.starts_with("a guard could not release")) return;  // a frame is being destroyed with the loop
    Run& run = *logging_run;
    std::string first(message.substr(0, message.find('\n')));
    std::string last = "-";
    if (first.size() < message.size()) last = shown_message(std::string(message.substr(message.rfind('\n') + 1)));
    if (run.over_) {
        if (first.find("never retrieved") == std::string::npos) return;
        run.lost_.push_back("lost " + first + " " + last);
    } else {
        run.log("logged", first, last);
    }
}

// Running.

std::vector<std::string> Run::run() {
    logging_run = this;
    asyncio::set_log_handler(&Run::on_log);
    run_all();
    forget();
    asyncio::set_log_handler(nullptr);
    std::sort(lost_.begin(), lost_.end());
    lines_.insert(lines_.end(), lost_.begin(), lost_.end());
    return std::move(lines_);
}

void Run::run_all() {
    asyncio::Runner runner({.clock = asyncio::VirtualClock{}});
    loop = &runner.get_loop();
    loop->set_exception_handler(
        [this](asyncio::EventLoop&, const asyncio::ExceptionContext& context) { on_report(context); });
    loop->call_at(loop->time() + watchdog_first * tick.count(), [this] { watchdog(); });
    static const Node only_the_first = parse("[0]");
    for (const Node& number : (program_.size() > 2 ? program_[2] : only_the_first).list) {
        std::string end;
        try {
            end = "end " + std::to_string(runner.run(main(number.number)));
        } catch (...) {
            end = "end ! " + describe(std::current_exception());
        }
        lines_.push_back(end);
        handler_mode = 0;
    }
    std::string failure;
    try {
        runner.close();
    } catch (...) {
        failure = "closing ! " + describe(std::current_exception());
    }
    if (!failure.empty()) lines_.push_back(failure);
    over_ = true;
}

void Run::forget() {
    waits = {};
    items = {};
    callbacks = {};
    handles = {};
    contexts = {};
    tokens = {};
    generators = {};
    completions = {};
    timeouts = {};
    groups = {};
    old_groups.clear();
    old_parts.clear();
    things.reset();
}

void Run::watchdog() {
    ++shots_;
    log("watchdog");
    loop->call_later(watchdog_next * tick.count(), [this] { watchdog(); });
    if (shots_ > watchdog_most) {
        log("stuck");
        over_ = true;
        throw asyncio::SystemExit(9);
    }
    for (const AnyTask& task : all_tasks(*loop)) task.cancel("watchdog");
}

Coro<int> Run::main(int number) {
    if (!things) things = std::make_unique<Things>(program_[0]);
    items[0] = std::make_shared<Item>(Item{current()});
    int value = co_await call(number);
    co_return value;
}

Coro<int> Run::call(int number, ItemRef owner) {
    if (owner) owner->children.push_back(std::make_shared<Item>(Item{current()}));
    owner = nullptr;
    log("start", number, x_var.get(), y_var.get());
    Flow flow = co_await block(program_[1][static_cast<std::size_t>(number)]);
    int value = flow.value_or(0);
    log("return", number, value);
    co_return value;
}

Coro<Flow> Run::block(const Node& statements) {
    Walk walk(*this, statements);
    while (const Node* statement = walk.next()) {
        try {
            if (statement->operation->walking != nullptr) {
                co_await statement->operation->walking(*this, walk, *statement);
            } else {
                Flow flow = co_await statement->operation->awaiting(*this, *statement);
                walk.gave(flow);
            }
        } catch (...) {
            walk.threw(*statement, std::current_exception());
        }
    }
    co_return walk.outcome();
}

asyncio::AsyncGenerator<int> Run::generate(int number) {
    log("begin", number, x_var.get(), y_var.get());
    Walk walk(*this, program_[1][static_cast<std::size_t>(number)], true);
    while (const Node* statement = walk.next()) {
        const Operation& operation = *statement->operation;
        try {
            if (operation.walking != nullptr) {
                co_await operation.walking(*this, walk, *statement);
            } else if (operation.awaiting != nullptr) {
                Flow flow = co_await operation.awaiting(*this, *statement);
                walk.gave(flow);
            } else {
                int value = (*statement)[1].number;
                co_yield value;
                log("yield", value);
            }
        } catch (...) {
            walk.threw(*statement, std::current_exception());
        }
    }
    walk.outcome();
    log("finish", number);
}

void Run::plain_block(const Node& statements) {
    Walk walk(*this, statements);
    walk.next();
    walk.outcome();
}

asyncio::ContextRef Run::context_at(const Node& slot) const {
    if (slot.number < 0 || !contexts.at(slot.index())) return {};
    return *contexts[slot.index()];
}

bool is_entered(const asyncio::Context& context) {
    try {
        context.run([] {});
    } catch (const asyncio::RuntimeError&) {
        return true;
    }
    return false;
}

}  // namespace conformance
