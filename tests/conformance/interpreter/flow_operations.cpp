// Statements of one task: sleeping, calling, raising, awaiting.
#include "operations.h"
#include "run.h"

namespace conformance {

using asyncio::Coro;

namespace {

void do_log(Run& run, const Node& s) { run.log("log", s[1].number); }

/// It alone lets its error out.
void do_fail(Run&, const Node& s) { std::rethrow_exception(make_error(s[1])); }

Coro<Flow> do_return(Run&, const Node& s) { co_return s[1].number; }

Coro<Flow> do_raise(Run&, const Node& s) {
    std::rethrow_exception(make_error(s[1]));
    co_return std::nullopt;
}

Coro<Flow> do_sleep(Run& run, const Node& s) {
    co_await asyncio::sleep(s[1].number * tick.count());
    run.log("sleep", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_sleep_value(Run& run, const Node& s) {
    int value = co_await asyncio::sleep(s[1].number * tick.count(), s[2].number);
    run.log("sleep_value", s[1].number, value);
    co_return std::nullopt;
}

Coro<Flow> do_call(Run& run, const Node& s) {
    int value = co_await run.call(s[1].number);
    run.log("call", s[1].number, "=", value);
    co_return std::nullopt;
}

template <class Handle>
Coro<> await_handle(Handle future) {
    co_await future;
}

Coro<> await_item(const Item& item) {
    return with_type(item, [](auto future) { return await_handle(std::move(future)); });
}

Coro<Flow> do_await(Run& run, const Node& s) {
    ItemRef item = run.items.at(s[1]);
    bool own = item->future == run.current();
    if (run.waits.is_spoilt(*item) || (!own && run.waits.would_circle(run.current(), *item))) {
        run.log("await", "circle");
        co_return std::nullopt;
    }
    if (own) run.waits.spoil(*item);
    Waiting waiting(run.waits, run.current(), item);
    co_await await_item(*item);
    run.log("await", s[1].number, "=", text_of_result(*item));
    co_return std::nullopt;
}

Coro<Flow> do_await_task(Run& run, const Node& s) {
    auto create = [](Coro<int> coro, const asyncio::TaskOptions& options) {
        return asyncio::create_task(std::move(coro), options);
    };
    auto task = new_task(run, create, s[1], s[2], s[3], {});
    auto item = std::make_shared<Item>(Item{task});
    if (run.waits.would_circle(run.current(), *item)) {
        run.log("await_task", "circle");
        co_return std::nullopt;
    }
    Waiting waiting(run.waits, run.current(), item);
    int value = co_await std::move(task);
    run.log("await_task", "=", value);
    co_return std::nullopt;
}

}  // namespace

Operations flow_operations() {
    return {{"log", plain<do_log>},        {"fail", {.plain = do_fail}},  {"return", awaiting<do_return>},
            {"raise", awaiting<do_raise>}, {"sleep", awaiting<do_sleep>}, {"sleep_value", awaiting<do_sleep_value>},
            {"call", awaiting<do_call>},   {"await", awaiting<do_await>}, {"await_task", awaiting<do_await_task>}};
}

}  // namespace conformance
