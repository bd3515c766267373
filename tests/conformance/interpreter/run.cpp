#include "run.h"

#include "completed.h"
#include "things.h"
#include "walk.h"

namespace conformance {

using asyncio::Coro;

Run::Run(const Node& program) : program_(program) {}
Run::~Run() = default;

std::vector<std::string> Run::run() {
    static const Node only_the_first = parse("[0]");
    std::vector<Trace::Main> mains;
    for (const Node& number : (program_.size() > 2 ? program_[2] : only_the_first).list) {
        mains.push_back([this, &number] { return main(number.number); });
    }
    trace.run(mains);
    forget();
    return trace.lines();
}

/// Lets go of all that the program has made.
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

Coro<int> Run::main(int number) {
    if (!things) things = std::make_unique<Things>(program_[0]);
    items.set_first(std::make_shared<Item>(Item{current()}));
    int value = co_await call(number);
    co_return value;
}

Coro<int> Run::call(int number, ItemRef owner) {
    if (owner) owner->children.push_back(std::make_shared<Item>(Item{current()}));
    owner = nullptr;
    log("start", number, x_var.get(), y_var.get());
    Flow flow;
    try {
        flow = co_await block(program_[1][static_cast<std::size_t>(number)]);
    } catch (const asyncio::GeneratorExit&) {
        throw asyncio::RuntimeError("GeneratorExit");  // differs: `GeneratorExit` out of a task
    }
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
}

void Run::plain_block(const Node& statements) {
    Walk walk(*this, statements);
    walk.next();
    walk.outcome();
}

asyncio::ContextRef Run::context_at(const Node& slot) const {
    if (slot.number < 0 || !contexts.has(slot)) return {};
    return *contexts.at(slot);
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
