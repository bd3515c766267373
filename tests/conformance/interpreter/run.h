#pragma once

#include <asyncio/asyncio.h>

#include "item.h"
#include "node.h"
#include "text.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conformance {

constexpr asyncio::Seconds tick = asyncio::Seconds(1.0 / 512);
extern asyncio::ContextVar<int> x_var;
extern asyncio::ContextVar<int> y_var;
extern asyncio::ContextVar<int> z_var;  // without a default

bool is_entered(const asyncio::Context& context);

struct Things;  // locks and queues: see things.h
class Completed;

/// One run of one program in a loop of its own.
class Run {
public:
    explicit Run(const Node& program);
    ~Run();
    /// Runs it; gives its trace.
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
    asyncio::Coro<int> call(int number, ItemRef owner = nullptr);
    asyncio::Coro<Flow> block(const Node& statements);
    asyncio::AsyncGenerator<int> generate(int number);
    void plain_block(const Node& statements);
    /// A program that has made enough steps only ends its blocks from then on.
    bool is_tired(int more) noexcept {
        steps_ += more;
        return steps_ > most_steps;
    }

    ItemRef& item(const Node& slot) { return items.at(slot.index()); }
    asyncio::ContextRef context_at(const Node& slot) const;

    asyncio::EventLoop* loop = nullptr;
    Waits waits;
    std::unique_ptr<Things> things;
    std::array<ItemRef, 10> items;
    std::array<std::pair<ItemRef, asyncio::CallbackId>, 4> callbacks;
    std::array<asyncio::Handle, 4> handles;
    std::array<std::shared_ptr<asyncio::Context>, 3> contexts;
    std::array<std::shared_ptr<asyncio::Token>, 3> tokens;
    std::array<std::shared_ptr<asyncio::Timeout>, 4> timeouts;
    std::array<std::shared_ptr<asyncio::TaskGroup>, 4> groups;
    std::vector<std::shared_ptr<asyncio::TaskGroup>> old_groups;  // a task may still be told of
    std::vector<ItemRef> old_parts;                               // of gatherings that have callbacks
    std::array<int, 2> flags{};
    std::array<std::shared_ptr<asyncio::AsyncGenerator<int>>, 3> generators;
    std::array<std::shared_ptr<Completed>, 2> completions;
    int handler_mode = 0;

private:
    static constexpr int most_steps = 250;
    static constexpr std::size_t most_lines = 600;
    static constexpr int watchdog_first = 100000;
    static constexpr int watchdog_next = 5000;
    static constexpr int watchdog_most = 25;

    static void on_log(asyncio::LogLevel level, std::string_view message);
    void write(const std::string& line);
    void run_all();
    asyncio::Coro<int> main(int number);
    void watchdog();
    void on_report(const asyncio::ExceptionContext& context);
    void forget();

    const Node& program_;
    std::vector<std::string> lines_;
    std::vector<std::string> lost_;  // what was reported of futures and tasks that nobody looked at again
    int steps_ = 0;
    bool over_ = false;
    int first_name_ = -1;
    int shots_ = 0;
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
template <PlainOperation operation>
inline constexpr Operation plain{.plain = noting<operation>};
template <AwaitingOperation operation>
inline constexpr Operation awaiting{.awaiting = operation};
template <WalkingOperation operation>
inline constexpr Operation walking{.walking = operation};

/// A task of a function of the program, made by `create(coroutine, options)`.
template <class Create>
asyncio::Task<int> new_task(Run& run, Create create, const Node& number, const Node& name, const Node& eager,
                            asyncio::ContextRef context) {
    asyncio::TaskOptions options;
    if (!name.text.empty()) options.name = name.text;
    if (eager.number >= 0) options.eager_start = eager.number != 0;
    options.context = context;
    if (context && eager.number != 0 && is_entered(context.get())) {
        options.eager_start = false;  // CPython would lose track of the current task
    }
    return create(run.call(number.number), options);
}

}  // namespace conformance
