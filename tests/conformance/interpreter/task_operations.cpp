// Statements on tasks: making, cancelling, looking at them.
#include "operations.h"
#include "run.h"

namespace conformance {

using asyncio::AnyTask;
using asyncio::Coro;
using asyncio::TaskOptions;

namespace {

void keep(Run& run, const Node& s, std::size_t slot, const asyncio::Task<int>& task) {
    run.items.set(s[slot], std::make_shared<Item>(Item{task}));
    run.log(s[0].text, s[slot].number, run.trace.name_of(task), task.done());
}

void do_task(Run& run, const Node& s) {
    auto create = [](Coro<int> coro, const TaskOptions& options) {
        return asyncio::create_task(std::move(coro), options);
    };
    keep(run, s, 1, new_task(run, create, s[2], s[3], s[4], run.context_at(s[5])));
}

void do_group_task(Run& run, const Node& s) {
    std::shared_ptr<asyncio::TaskGroup> group = run.groups.at(s[1]);
    auto create = [&group](Coro<int> coro, const TaskOptions& options) {
        return group->create_task(std::move(coro), options);
    };
    keep(run, s, 2, new_task(run, create, s[3], s[4], s[5], run.context_at(s[6])));
}

void do_task_factory(Run& run, const Node& s) {
    auto factory = [&run](asyncio::EventLoop&, asyncio::NewTask task, const TaskOptions& options) {
        std::string name = options.name.empty() ? "-" : std::string(options.name);
        run.log("factory", name, options.eager_start ? text(*options.eager_start) : "-");
        return task.start(options);
    };
    switch (s[1].number) {
        case 0:
            return run.loop().set_task_factory(nullptr);
        case 1:
            return run.loop().set_task_factory(asyncio::eager_task_factory);
        case 2:
            return run.loop().set_task_factory(factory);
        default:
            return run.loop().set_task_factory(asyncio::create_eager_task_factory(factory));
    }
}

std::optional<std::string_view> message_of(const Node& text) {
    if (text.text.empty()) return std::nullopt;
    return text.text;
}

void do_cancel(Run& run, const Node& s) {
    bool accepted = run.items.at(s[1])->future.cancel(message_of(s[2]));
    run.log("cancel", s[1].number, accepted);
}

void do_cancel_self(Run& run, const Node& s) {
    AnyTask task = run.current();
    if (!task) return run.log("cancel_self", "no task");
    bool accepted = task.cancel(message_of(s[1]));
    run.log("cancel_self", accepted);
}

AnyTask task_at(Run& run, const Node& slot) { return slot.number < 0 ? run.current() : run.items.at(slot)->task(); }

void do_uncancel(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return run.log("uncancel", s[1].number, "no task");
    int left = task.uncancel();
    run.log("uncancel", s[1].number, left);
}

void do_cancelling(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return run.log("cancelling", s[1].number, "no task");
    run.log("cancelling", s[1].number, task.cancelling());
}

void do_set_name(Run& run, const Node& s) {
    AnyTask task = task_at(run, s[1]);
    if (!task) return run.log("set_name", s[1].number, "no task");
    task.set_name(s[2].text);
    run.log("set_name", s[1].number, task.get_name());
}

void do_all_tasks(Run& run, const Node&) {
    std::string names = "all_tasks";
    for (const AnyTask& task : asyncio::all_tasks(run.loop())) names += " " + run.trace.name_of(task);
    run.log(names);
}

}  // namespace

Operations task_operations() {
    return {{"task", plain<do_task>},
            {"group_task", plain<do_group_task>},
            {"task_factory", plain<do_task_factory>},
            {"cancel", plain<do_cancel>},
            {"cancel_self", plain<do_cancel_self>},
            {"uncancel", plain<do_uncancel>},
            {"cancelling", plain<do_cancelling>},
            {"set_name", plain<do_set_name>},
            {"all_tasks", plain<do_all_tasks>}};
}

}  // namespace conformance
