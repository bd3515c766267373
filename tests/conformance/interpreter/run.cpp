#include "run.h"

#include "core/loop_core.h"
#include "things.h"

#include <algorithm>
#include <cmath>

namespace conformance {

using asyncio::AnyTask;
using asyncio::Coro;

asyncio::ContextVar<int> x_var{"x", 0};
asyncio::ContextVar<int> y_var{"y", 0};

bool Item::is_task() const { return future.state_or_null()->kind() == asyncio::detail::FutureBase::Kind::task; }

AnyTask Item::task() const {
    return is_task() ? AnyTask(asyncio::detail::Ref<asyncio::detail::FutureBase>(future.state_or_null())) : AnyTask();
}

bool is_entered(const asyncio::Context& context) {
    try {
        context.run([] {});
    } catch (const asyncio::RuntimeError&) {
        return true;
    }
    return false;
}

Run::Run(const Node& program) : functions(program[1]), objects_(program[0]) {}
Run::~Run() = default;

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

std::vector<std::string> Run::run() {
    std::string end;
    {
        asyncio::Runner runner({.clock = asyncio::VirtualClock{}});
        loop = &runner.get_loop();
        loop->set_exception_handler(
            [this](asyncio::EventLoop&, const asyncio::ExceptionContext& context) { on_report(context); });
        loop->call_at(loop->time() + watchdog_first * tick.count(), [this] { watchdog(); });
        try {
            end = "end " + std::to_string(runner.run(main()));
        } catch (...) {
            end = "end ! " + describe(std::current_exception());
        }
        try {
            runner.close();
        } catch (...) {
            end = "end ! " + describe(std::current_exception());
        }
        over_ = true;
        things.reset();
    }
    lines_.push_back(end);
    return std::move(lines_);
}

void Run::on_report(const asyncio::ExceptionContext& context) {
    std::string message = context.message;
    if (message.find("never retrieved") != std::string::npos || message.find("destroyed") != std::string::npos) return;
    if (message.starts_with("Exception in callback") || message.starts_with("Exception in a done callback")) {
        message = "Exception in callback";
    }
    log("report", asyncio::detail::quoted(message), context.exception ? describe(context.exception) : "-");
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

Coro<int> Run::main() {
    make_things(*this, objects_);
    items[0] = std::make_shared<Item>(Item{current()});
    int value = co_await call(0, nullptr);
    co_return value;
}

Coro<int> Run::call(int number, ItemRef owner) {
    if (owner) owner->children.push_back(std::make_shared<Item>(Item{current()}));
    owner = nullptr;
    log("start", number, x_var.get(), y_var.get());
    Flow flow = co_await block(functions[static_cast<std::size_t>(number)]);
    int value = flow.value_or(0);
    log("return", number, value);
    co_return value;
}

Coro<Flow> Run::block(const Node& statements) {
    for (const Node& statement : statements.list) {
        if (++steps > most_steps) co_return std::nullopt;
        if (statement.plain != nullptr) {
            statement.plain(*this, statement);
            continue;
        }
        Flow flow;
        try {
            flow = co_await statement.awaiting(*this, statement);
        } catch (...) {
            log(statement[0].text, "!", describe(std::current_exception()));
            throw;
        }
        if (flow) co_return flow;
    }
    co_return std::nullopt;
}

void Run::plain_block(const Node& statements) {
    for (const Node& statement : statements.list) {
        if (++steps > most_steps) return;
        statement.plain(*this, statement);
    }
}

bool Run::would_circle(const Item& item) const {
    AnyTask me = current();
    std::vector<const Item*> todo = {&item};
    std::vector<const Item*> seen;
    while (!todo.empty()) {
        const Item* one = todo.back();
        todo.pop_back();
        if (one->future == me) return true;
        if (std::find(seen.begin(), seen.end(), one) != seen.end()) continue;
        seen.push_back(one);
        for (const ItemRef& child : one->children) todo.push_back(child.get());
        auto found = waits_on.find(one->future.state_or_null());
        if (found != waits_on.end()) todo.push_back(found->second.get());
    }
    return false;
}

bool Run::is_poisoned(const Item& item) const {
    return std::find(poisoned.begin(), poisoned.end(), item.future) != poisoned.end();
}

asyncio::ContextRef Run::context_at(int slot) const {
    if (slot < 0 || !contexts[static_cast<std::size_t>(slot)]) return {};
    return *contexts[static_cast<std::size_t>(slot)];
}

Waiting::Waiting(Run& run, const ItemRef& item) : run_(run), task_(run.current().state_or_null()) {
    before_ = run_.waits_on[task_];
    run_.waits_on[task_] = item;
}

Waiting::~Waiting() {
    if (before_) {
        run_.waits_on[task_] = before_;
    } else {
        run_.waits_on.erase(task_);
    }
}

}  // namespace conformance
