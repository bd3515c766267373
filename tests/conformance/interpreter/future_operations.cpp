#include "operations.h"
#include "run.h"

namespace conformance {

using asyncio::AnyTask;
using asyncio::Coro;

namespace {

std::optional<std::string_view> message_of(const Node& text) {
    if (text.text.empty()) return std::nullopt;
    return text.text;
}

void do_log(Run& run, const Node& s) { run.log("log", s[1].number); }

void do_fail(Run&, const Node& s) { std::rethrow_exception(make_error(s[1])); }

void do_task(Run& run, const Node& s) {
    auto create = [](Coro<int> coro, const asyncio::TaskOptions& options) {
        return asyncio::create_task(std::move(coro), options);
    };
    auto task = run.new_task(create, s[2].number, s[3].text, s[4].number, s[5].number);
    run.item(s[1]) = std::make_shared<Item>(Item{task});
    run.log("task", s[1].number, run.name_of(task), task.done());
}

void do_cancel(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item) return run.log("cancel", s[1].number, "empty");
    bool accepted = item->future.cancel(message_of(s[2]));
    run.log("cancel", s[1].number, accepted);
}

void do_cancel_self(Run& run, const Node& s) {
    AnyTask task = run.current();
    if (!task) return run.log("cancel_self", "none");
    bool accepted = task.cancel(message_of(s[1]));
    run.log("cancel_self", accepted);
}

AnyTask task_at(Run& run, const Node& slot) {
    if (slot.number < 0) return run.current();
    return run.item(slot) ? run.item(slot)->task() : AnyTask();
}

void do_uncancel(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return run.log("uncancel", s[1].number, "none");
    int left = task.uncancel();
    run.log("uncancel", s[1].number, left);
}

void do_cancelling(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return run.log("cancelling", s[1].number, "none");
    run.log("cancelling", s[1].number, task.cancelling());
}

void do_future(Run& run, const Node& s) {
    run.item(s[1]) = std::make_shared<Item>(Item{run.loop->create_future<int>()});
}

void do_set_result(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item || item->kind != Item::Kind::number) return run.log("set_result", s[1].number, "none");
    item->future.as<int>().set_result(s[2].number);
    run.log("set_result", s[1].number);
}

void do_set_exception(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item || item->kind != Item::Kind::number) return run.log("set_exception", s[1].number, "none");
    item->future.as<int>().set_exception(make_error(s[2]));
    run.log("set_exception", s[1].number);
}

void do_state(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    run.log("state", s[1].number, item ? outcome(*item) : "none");
}

void do_result(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (item) run.log("result", s[1].number, text_of_result(*item));
}

void do_exception(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item) return;
    std::exception_ptr error = item->future.exception();
    run.log("exception", s[1].number, error ? describe(error) : "None");
}

void do_set_name(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return;
    task.set_name(s[2].text);
    run.log("set_name", s[1].number, task.get_name());
}

void do_callback(Run& run, const Node& s) {
    ItemRef item = run.item(s[1]);
    if (!item) return run.log("callback", "none");
    // The item is not kept: what the callback is given must do.
    auto callback = [&run, &s, kind = item->kind, parts = item->parts](const asyncio::AnyFuture& future) {
        run.log("called", s[2].number, outcome(Item{future, kind, {}, parts}), x_var.get(), y_var.get());
        run.plain_block(s[4]);
    };
    asyncio::CallbackId id = item->future.add_done_callback(callback, {.context = run.context_at(s[3].number)});
    run.callbacks.at(static_cast<std::size_t>(s[2].number)) = {item, id};
}

void do_remove_callback(Run& run, const Node& s) {
    auto& [item, id] = run.callbacks.at(static_cast<std::size_t>(s[1].number));
    if (!item) return run.log("remove_callback", "none");
    run.log("remove_callback", s[1].number, static_cast<int>(item->future.remove_done_callback(id)));
}

void do_ensure_future(Run& run, const Node& s) {
    ItemRef item = run.item(s[2]);
    if (!item) return;
    run.item(s[1]) = item;
    run.log("ensure_future", s[1].number, asyncio::ensure_future(item->future) == item->future);
}

void do_all_tasks(Run& run, const Node&) {
    std::string names = "all_tasks";
    for (const AnyTask& task : asyncio::all_tasks(*run.loop)) names += " " + run.name_of(task);
    run.log(names);
}

}  // namespace

Operations future_operations() {
    return {.plain = {{"log", do_log},
                      {"fail", do_fail},
                      {"task", noting<do_task>},
                      {"cancel", noting<do_cancel>},
                      {"cancel_self", noting<do_cancel_self>},
                      {"uncancel", noting<do_uncancel>},
                      {"cancelling", noting<do_cancelling>},
                      {"future", noting<do_future>},
                      {"set_result", noting<do_set_result>},
                      {"set_exception", noting<do_set_exception>},
                      {"state", noting<do_state>},
                      {"result", noting<do_result>},
                      {"exception", noting<do_exception>},
                      {"set_name", noting<do_set_name>},
                      {"callback", noting<do_callback>},
                      {"remove_callback", noting<do_remove_callback>},
                      {"ensure_future", noting<do_ensure_future>},
                      {"all_tasks", noting<do_all_tasks>}},
            .awaiting = {}};
}

}  // namespace conformance
