#pragma once

#include <asyncio/asyncio.h>

#include "node.h"
#include "text.h"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace conformance {

constexpr asyncio::Seconds tick = asyncio::Seconds(1.0 / 512);
extern asyncio::ContextVar<int> x_var;
extern asyncio::ContextVar<int> y_var;

/// What stands in a slot: a future, with what its results look like.
struct Item {
    enum class Kind {
        number,        // Future<int>
        list,          // Future<std::vector<int>>
        results,       // Future<std::vector<Result<int>>>
        pair,          // Future<std::tuple<int, int>>
        pair_results,  // Future<std::tuple<Result<int>, Result<int>>>
        mixed,         // Future<std::vector<None>>, the values are those of `parts`
        mixed_results  // Future<std::vector<Result<None>>>, likewise
    };
    asyncio::AnyFuture future;
    Kind kind = Kind::number;
    std::vector<std::shared_ptr<Item>> children = {};  // that a cancellation would reach
    std::vector<std::shared_ptr<Item>> parts = {};

    bool is_task() const;
    asyncio::AnyTask task() const;  // empty if it is none
};
using ItemRef = std::shared_ptr<Item>;

/// The result as it stands in traces; throws what the future ended with.
std::string text_of_result(const Item& item);
/// `pending`, `cancelled`, `! ValueError('x')` or the result.
std::string outcome(const Item& item);

struct Things;  // locks and queues: see sync_operations.cpp

bool is_entered(const asyncio::Context& context);

/// One run of one program in a loop of its own.
class Run {
public:
    explicit Run(const Node& program);
    ~Run();
    std::vector<std::string> run();

    // The trace.
    template <class... Words>
    void log(const Words&... words) {
        std::string line;
        ((line += " " + text(words)), ...);
        write(line);
    }
    std::string name_of(const asyncio::AnyTask& task);
    asyncio::AnyTask current() const { return asyncio::current_task(*loop); }

    // Running.
    asyncio::Coro<int> call(int number, ItemRef owner);
    asyncio::Coro<Flow> block(const Node& statements);
    void plain_block(const Node& statements);
    bool is_tired() const noexcept { return steps > most_steps; }

    /// Whether awaiting the item would make tasks wait for each other in a circle.
    bool would_circle(const Item& item) const;
    bool is_poisoned(const Item& item) const;

    asyncio::ContextRef context_at(int slot) const;
    template <class Create>
    asyncio::Task<int> new_task(Create create, int number, const std::string& name, int eager, int context) {
        asyncio::TaskOptions options;
        if (!name.empty()) options.name = name;
        if (eager >= 0) options.eager_start = eager != 0;
        options.context = context_at(context);
        if (options.context && eager != 0 && is_entered(options.context.get())) {
            options.eager_start = false;  // CPython would lose track of the current task
        }
        return create(call(number, nullptr), options);
    }
    ItemRef& item(const Node& slot) { return items.at(static_cast<std::size_t>(slot.number)); }

    asyncio::EventLoop* loop = nullptr;
    const Node& functions;
    int steps = 0;
    std::array<ItemRef, 10> items;
    std::array<std::pair<ItemRef, asyncio::CallbackId>, 4> callbacks;
    std::array<asyncio::Handle, 4> handles;
    std::array<std::shared_ptr<asyncio::Context>, 3> contexts;
    std::array<std::shared_ptr<asyncio::Token>, 2> tokens;
    std::array<std::shared_ptr<asyncio::Timeout>, 4> timeouts;
    std::array<std::shared_ptr<asyncio::TaskGroup>, 4> groups;
    std::vector<std::shared_ptr<asyncio::Timeout>> old_timeouts;  // a body may still be in them
    std::vector<std::shared_ptr<asyncio::TaskGroup>> old_groups;
    std::unique_ptr<Things> things;
    std::map<asyncio::detail::FutureBase*, ItemRef> waits_on;
    std::vector<asyncio::AnyFuture> poisoned;  // tasks that awaited themselves

private:
    static constexpr int most_steps = 250;
    static constexpr std::size_t most_lines = 600;
    static constexpr int watchdog_first = 100000;
    static constexpr int watchdog_next = 5000;
    static constexpr int watchdog_most = 25;

    void write(const std::string& line);
    asyncio::Coro<int> main();
    void watchdog();
    void on_report(const asyncio::ExceptionContext& context);

    const Node& objects_;
    std::vector<std::string> lines_;
    bool over_ = false;
    int first_name_ = -1;
    int shots_ = 0;
};

/// Notes on what the task waits, while it lives.
class Waiting {
public:
    Waiting(Run& run, const ItemRef& item);
    ~Waiting();
    Waiting(const Waiting&) = delete;

private:
    Run& run_;
    asyncio::detail::FutureBase* task_;
    ItemRef before_;
};

/// What the operation throws is only noted, if it is no BaseException but CancelledError.
template <PlainOperation operation>
void noting(Run& run, const Node& s) {
    try {
        operation(run, s);
    } catch (const std::exception&) {
        run.log(s[0].text, "!", describe(std::current_exception()));
    } catch (const asyncio::CancelledError&) {
        run.log(s[0].text, "!", describe(std::current_exception()));
    }
}

void make_things(Run& run, const Node& objects);

}  // namespace conformance
