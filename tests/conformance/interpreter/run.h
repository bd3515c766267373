#pragma once

#include <asyncio/asyncio.h>

#include "item.h"
#include "node.h"
#include "slots.h"
#include "text.h"
#include "trace.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conformance {

struct Things;  // locks and queues: see things.h
class Completed;

/// One run of one program in a loop of its own.
class Run {
public:
    explicit Run(const Node& program);
    ~Run();
    /// Runs it; gives its trace.
    std::vector<std::string> run();

    template <class... Words>
    void log(const Words&... words) {
        trace.log(words...);
    }
    asyncio::AnyTask current() const { return asyncio::current_task(loop()); }
    asyncio::EventLoop& loop() const noexcept { return trace.loop(); }

    asyncio::Coro<int> call(int number, ItemRef owner = nullptr);
    asyncio::Coro<Flow> block(const Node& statements);
    asyncio::AsyncGenerator<int> generate(int number);
    void plain_block(const Node& statements);
    /// A program that has made enough steps only ends its blocks from then on.
    bool is_tired(int more) noexcept {
        steps_ += more;
        return steps_ > most_steps;
    }
    /// The context in a slot; none for a negative number or an empty slot.
    asyncio::ContextRef context_at(const Node& slot) const;

    struct Callback {
        ItemRef item;
        asyncio::CallbackId id;
    };

    Trace trace;
    Waits waits;
    std::unique_ptr<Things> things;
    Slots<Item, 5> items;
    Slots<Callback, 4> callbacks;
    Slots<asyncio::Handle, 4> handles;
    Slots<asyncio::Context, 2> contexts;
    Slots<asyncio::Token, 3> tokens;
    Slots<asyncio::Timeout, 3> timeouts;
    Slots<asyncio::TaskGroup, 3> groups;
    Slots<asyncio::AsyncGenerator<int>, 2> generators;
    Slots<Completed, 2> completions;
    std::array<int, 2> flags{};
    std::vector<std::shared_ptr<asyncio::TaskGroup>> old_groups;  // a task may still be told of
    std::vector<ItemRef> old_parts;                               // of gatherings that have callbacks

private:
    static constexpr int most_steps = 250;

    asyncio::Coro<int> main(int number);
    void forget();

    const Node& program_;
    int steps_ = 0;
};

/// What the operation throws is only noted, if it is no BaseException but CancelledError.
template <PlainOperation operation>
void noting(Run& run, const Node& s) {
    try {
        operation(run, s);
    } catch (const Empty&) {
        run.log(s[0].text, "empty");
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

/// Whether code is running in the context.
bool is_entered(const asyncio::Context& context);

/// A task of a function of the program, made by `create(coroutine, options)`.
template <class Create>
asyncio::Task<int> new_task(Run& run, Create create, const Node& number, const Node& name, const Node& eager,
                            asyncio::ContextRef context) {
    asyncio::TaskOptions options;
    if (!name.text.empty()) options.name = name.text;
    if (eager.number >= 0) options.eager_start = eager.number != 0;
    options.context = context;
    if (context && eager.number != 0 && is_entered(context.get())) {
        options.eager_start = false;  // differs: eager start in a context in use
    }
    return create(run.call(number.number), options);
}

}  // namespace conformance
