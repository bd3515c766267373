// Statements on timeouts and task groups.
#include "operations.h"
#include "run.h"

#include <cmath>

namespace conformance {

using asyncio::Coro;
using asyncio::TaskGroup;
using asyncio::Timeout;

namespace {

std::shared_ptr<Timeout> make_timeout(Run& run, const Node& ticks, const Node& absolute) {
    std::optional<asyncio::Seconds> delay;
    if (ticks.number >= 0) delay = ticks.number * tick.count();
    if (absolute.number == 0) return std::shared_ptr<Timeout>(new Timeout(asyncio::timeout(delay)));
    std::optional<asyncio::TimePoint> when;
    if (delay) when = run.loop().time() + *delay;
    return std::shared_ptr<Timeout>(new Timeout(asyncio::timeout_at(when)));
}

Coro<Flow> in_timeout(Run& run, int slot, std::shared_ptr<Timeout> timeout, const Node& block) {
    auto body = [&]() -> Coro<Flow> {
        Flow flow = co_await run.block(block);
        co_return flow;
    };
    Flow flow;
    try {
        flow = co_await asyncio::with(*timeout, body);
    } catch (...) {
        run.log("timeout", slot, timeout->expired());
        throw;
    }
    run.log("timeout", slot, timeout->expired());
    co_return flow;
}

Coro<Flow> in_group(Run& run, int slot, std::shared_ptr<TaskGroup> group, const Node& block) {
    auto body = [&]() -> Coro<Flow> {
        Flow flow = co_await run.block(block);
        co_return flow;
    };
    Flow flow = co_await asyncio::with(*group, body);
    if (!flow) run.log("group", slot);
    co_return flow;
}

void set_group(Run& run, const Node& slot, std::shared_ptr<TaskGroup> group) {
    run.old_groups.push_back(group);
    run.groups.set(slot, std::move(group));
}

Coro<Flow> do_timeout(Run& run, const Node& s) {
    std::shared_ptr<Timeout> timeout = make_timeout(run, s[2], s[3]);
    run.timeouts.set(s[1], timeout);
    return in_timeout(run, s[1].number, std::move(timeout), s[4]);
}

void do_new_timeout(Run& run, const Node& s) { run.timeouts.set(s[1], make_timeout(run, s[2], s[3])); }

Coro<Flow> do_enter_timeout(Run& run, const Node& s) {
    return in_timeout(run, s[1].number, run.timeouts.at(s[1]), s[2]);
}

void do_reschedule(Run& run, const Node& s) {
    Timeout& timeout = *run.timeouts.at(s[1]);
    std::optional<asyncio::TimePoint> when;
    if (s[2].number >= 0) when = run.loop().time() + s[2].number * tick.count();
    timeout.reschedule(when);
    run.log("reschedule", s[1].number);
}

void do_expired(Run& run, const Node& s) {
    Timeout& timeout = *run.timeouts.at(s[1]);
    std::string when = "None";
    if (timeout.when()) when = std::to_string(std::lround(timeout.when()->seconds() / tick.count()));
    run.log("expired", s[1].number, timeout.expired(), when, repr(timeout));
}

Coro<Flow> do_group(Run& run, const Node& s) {
    auto group = std::make_shared<TaskGroup>();
    set_group(run, s[1], group);
    return in_group(run, s[1].number, std::move(group), s[2]);
}

void do_new_group(Run& run, const Node& s) { set_group(run, s[1], std::make_shared<TaskGroup>()); }

Coro<Flow> do_enter_group(Run& run, const Node& s) { return in_group(run, s[1].number, run.groups.at(s[1]), s[2]); }

void do_group_state(Run& run, const Node& s) {
    run.log("group_state", s[1].number, shown_repr(repr(*run.groups.at(s[1]))));
}

}  // namespace

Operations block_operations() {
    return {{"timeout", awaiting<do_timeout>},
            {"new_timeout", plain<do_new_timeout>},
            {"enter_timeout", awaiting<do_enter_timeout>},
            {"reschedule", plain<do_reschedule>},
            {"expired", plain<do_expired>},
            {"group", awaiting<do_group>},
            {"new_group", plain<do_new_group>},
            {"enter_group", awaiting<do_enter_group>},
            {"group_state", plain<do_group_state>}};
}

}  // namespace conformance
