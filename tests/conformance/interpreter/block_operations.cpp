#include "operations.h"
#include "run.h"

#include <cmath>

namespace conformance {

using asyncio::Coro;
using asyncio::TaskGroup;
using asyncio::Timeout;

namespace {

std::size_t index(const Node& slot) { return static_cast<std::size_t>(slot.number); }

Coro<Flow> do_timeout(Run& run, const Node& s) {
    std::optional<asyncio::Seconds> delay;
    if (s[2].number >= 0) delay = s[2].number * tick.count();
    std::shared_ptr<Timeout> timeout;
    if (s[3].number != 0) {
        std::optional<asyncio::TimePoint> when;
        if (delay) when = run.loop->time() + *delay;
        timeout = std::shared_ptr<Timeout>(new Timeout(asyncio::timeout_at(when)));
    } else {
        timeout = std::shared_ptr<Timeout>(new Timeout(asyncio::timeout(delay)));
    }
    run.old_timeouts.push_back(timeout);
    run.timeouts[index(s[1])] = timeout;
    auto body = [&]() -> Coro<Flow> {
        Flow flow = co_await run.block(s[4]);
        co_return flow;
    };
    Flow flow;
    try {
        flow = co_await asyncio::with(*timeout, body);
    } catch (...) {
        run.log("timeout", s[1].number, timeout->expired());
        throw;
    }
    run.log("timeout", s[1].number, timeout->expired());
    co_return flow;
}

Coro<Flow> do_group(Run& run, const Node& s) {
    auto group = std::make_shared<TaskGroup>();
    run.old_groups.push_back(group);
    run.groups[index(s[1])] = group;
    auto body = [&]() -> Coro<Flow> {
        Flow flow = co_await run.block(s[2]);
        co_return flow;
    };
    Flow flow = co_await asyncio::with(*group, body);
    run.log("group", s[1].number);
    co_return flow;
}

Coro<Flow> do_reenter_timeout(Run& run, const Node& s) {
    std::shared_ptr<Timeout> timeout = run.timeouts[index(s[1])];
    auto body = [] {};
    if (timeout) {
        co_await asyncio::with(*timeout, body);
    }
    co_return std::nullopt;
}

Coro<Flow> do_reenter_group(Run& run, const Node& s) {
    std::shared_ptr<TaskGroup> group = run.groups[index(s[1])];
    auto body = [] {};
    if (group) {
        co_await asyncio::with(*group, body);
    }
    co_return std::nullopt;
}

void do_group_task(Run& run, const Node& s) {
    TaskGroup* group = run.groups[index(s[1])].get();
    if (group == nullptr) return run.log("group_task", "empty");
    auto create = [group](Coro<int> coro, const asyncio::TaskOptions& options) {
        return group->create_task(std::move(coro), options);
    };
    auto task = run.new_task(create, s[3].number, s[4].text, s[5].number, s[6].number);
    run.item(s[2]) = std::make_shared<Item>(Item{task});
    run.log("group_task", s[2].number, run.name_of(task), task.done());
}

void do_reschedule(Run& run, const Node& s) {
    Timeout* timeout = run.timeouts[index(s[1])].get();
    if (timeout == nullptr) return run.log("reschedule", "none");
    std::optional<asyncio::TimePoint> when;
    if (s[2].number >= 0) when = run.loop->time() + s[2].number * tick.count();
    timeout->reschedule(when);
    run.log("reschedule", s[1].number);
}

void do_expired(Run& run, const Node& s) {
    Timeout* timeout = run.timeouts[index(s[1])].get();
    if (timeout == nullptr) return;
    std::string when = "None";
    if (timeout->when()) when = std::to_string(std::lround(timeout->when()->seconds() / tick.count()));
    run.log("expired", s[1].number, timeout->expired(), when);
}

}  // namespace

Operations block_operations() {
    return {.plain = {{"group_task", noting<do_group_task>},
                      {"reschedule", noting<do_reschedule>},
                      {"expired", noting<do_expired>}},
            .awaiting = {{"timeout", do_timeout},
                         {"group", do_group},
                         {"reenter_timeout", do_reenter_timeout},
                         {"reenter_group", do_reenter_group}}};
}

}  // namespace conformance
