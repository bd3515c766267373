// Statements on asynchronous generators. `yield` itself is in Run::generate().
#include "operations.h"
#include "run.h"
#include "walk.h"

namespace conformance {

using asyncio::Coro;
using GeneratorRef = std::shared_ptr<asyncio::AsyncGenerator<int>>;

namespace {

GeneratorRef& generator_at(Run& run, const Node& slot) { return run.generators.at(slot.index()); }

void do_generator(Run& run, const Node& s) {
    generator_at(run, s[1]) = std::make_shared<asyncio::AsyncGenerator<int>>(run.generate(s[2].number));
    run.log("generator", s[1].number);
}

void do_drop_generator(Run& run, const Node& s) {
    run.log("drop_generator", s[1].number, generator_at(run, s[1]) != nullptr);
    generator_at(run, s[1]) = nullptr;
}

void do_same_generator(Run& run, const Node& s) { generator_at(run, s[1]) = generator_at(run, s[2]); }

void log_item(Run& run, const Node& s, const std::optional<int>& value) {
    if (value) {
        run.log(s[0].text, s[1].number, "=", *value);
    } else {
        run.log(s[0].text, s[1].number, "end");
    }
}

Coro<Flow> do_next(Run& run, const Node& s) {
    if (!generator_at(run, s[1])) {
        run.log("next", s[1].number, "empty");
        co_return std::nullopt;
    }
    // What is awaited keeps the generator.
    std::optional<int> value = co_await generator_at(run, s[1])->next();
    log_item(run, s, value);
    co_return std::nullopt;
}

Coro<Flow> do_athrow(Run& run, const Node& s) {
    if (!generator_at(run, s[1])) {
        run.log("athrow", s[1].number, "empty");
        co_return std::nullopt;
    }
    std::exception_ptr error = make_error(s[2]);
    std::optional<int> value = co_await generator_at(run, s[1])->athrow(error);
    log_item(run, s, value);
    co_return std::nullopt;
}

Coro<Flow> do_aclose(Run& run, const Node& s) {
    if (!generator_at(run, s[1])) {
        run.log("aclose", s[1].number, "empty");
        co_return std::nullopt;
    }
    co_await generator_at(run, s[1])->aclose();
    run.log("aclose", s[1].number);
    co_return std::nullopt;
}

void enter_each(Walk& walk, const Node& s) {
    static const Node nothing = parse("[]");
    Run& run = walk.run();
    if (!generator_at(run, s[1])) return run.log("each", s[1].number, "empty");
    walk.enter(Walk::Kind::each, s, nothing, generator_at(run, s[1]));
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
