// Statements on asynchronous generators. `yield` itself is in Run::generate().
#include "operations.h"
#include "run.h"
#include "walk.h"

namespace conformance {

using asyncio::Coro;

namespace {

void do_generator(Run& run, const Node& s) {
    run.generators.set(s[1], std::make_shared<asyncio::AsyncGenerator<int>>(run.generate(s[2].number)));
    run.log("generator", s[1].number);
}

void do_drop_generator(Run& run, const Node& s) {
    run.log("drop_generator", s[1].number, run.generators.has(s[1]));
    run.generators.set(s[1], nullptr);
}

void do_same_generator(Run& run, const Node& s) { run.generators.set(s[1], run.generators.at(s[2])); }

void log_item(Run& run, const Node& s, const std::optional<int>& value) {
    if (value) {
        run.log(s[0].text, s[1].number, "=", *value);
    } else {
        run.log(s[0].text, s[1].number, "end");
    }
}

Coro<Flow> do_next(Run& run, const Node& s) {
    // What is awaited keeps the generator.
    std::optional<int> value = co_await run.generators.at(s[1])->next();
    log_item(run, s, value);
    co_return std::nullopt;
}

Coro<Flow> do_athrow(Run& run, const Node& s) {
    std::exception_ptr error = make_error(s[2]);
    std::optional<int> value = co_await run.generators.at(s[1])->athrow(error);
    log_item(run, s, value);
    co_return std::nullopt;
}

Coro<Flow> do_aclose(Run& run, const Node& s) {
    co_await run.generators.at(s[1])->aclose();
    run.log("aclose", s[1].number);
    co_return std::nullopt;
}

void enter_each(Walk& walk, const Node& s) {
    static const Node nothing = parse("[]");
    Run& run = walk.run();
    if (!run.generators.has(s[1])) return run.log("each", "empty");
    walk.enter(Walk::Kind::each, s, nothing, run.generators.at(s[1]));
}

Coro<> do_each(Run&, Walk& walk, const Node&) {
    auto& generator = *static_cast<asyncio::AsyncGenerator<int>*>(walk.held().get());
    std::optional<int> value = co_await generator.next();
    walk.got(value);
}

}  // namespace

Operations generator_operations() {
    return {{"generator", plain<do_generator>},
            {"drop_generator", plain<do_drop_generator>},
            {"same_generator", plain<do_same_generator>},
            {"next", awaiting<do_next>},
            {"athrow", awaiting<do_athrow>},
            {"aclose", awaiting<do_aclose>},
            {"each", {.walking = do_each, .entering = enter_each}}};
}

}  // namespace conformance
