// Statements on locks, events, conditions, semaphores and barriers.
#include "operations.h"
#include "run.h"
#include "things.h"
#include "walk.h"

namespace conformance {

using asyncio::Coro;

Things::Things(const Node& objects) {
    for (const Node& spec : objects.list) {
        Thing& thing = all.emplace_back();
        const std::string& kind = spec[0].text;
        int size = spec.size() > 1 ? spec[1].number : 0;
        if (kind == "lock") thing.lock = std::make_unique<asyncio::Lock>();
        if (kind == "event") thing.event = std::make_unique<asyncio::Event>();
        if (kind == "cond") thing.condition = std::make_unique<asyncio::Condition>();
        if (kind == "shared_cond") {
            thing.condition = std::make_unique<asyncio::Condition>(*all.at(spec[1].index()).lock);
        }
        if (kind == "sem") thing.semaphore = std::make_unique<asyncio::Semaphore>(size);
        if (kind == "bsem") thing.semaphore = std::make_unique<asyncio::BoundedSemaphore>(size);
        if (kind == "barrier") thing.barrier = std::make_unique<asyncio::Barrier>(size);
        if (kind == "queue") thing.queue = std::make_unique<asyncio::Queue<int>>(size);
        if (kind == "pqueue") thing.priority_queue = std::make_unique<asyncio::PriorityQueue<int>>(size);
        if (kind == "lqueue") thing.lifo_queue = std::make_unique<asyncio::LifoQueue<int>>(size);
    }
}

namespace {

Thing& thing_at(Run& run, const Node& number) { return run.things->all.at(number.index()); }

template <class Manager>
Coro<Flow> with_manager(Run& run, const Node& s, Manager& manager) {
    auto body = [&]() -> Coro<Flow> {
        run.log("with", s[1].number);
        Flow flow = co_await run.block(s[2]);
        co_return flow;
    };
    Flow flow = co_await asyncio::with(manager, body);
    if (!flow) run.log("left", s[1].number);
    co_return flow;
}

Coro<Flow> do_with(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    if (thing.barrier) return with_manager(run, s, *thing.barrier);
    return on_lock(thing, [&](auto& lock) { return with_manager(run, s, lock); });
}

template <class Lockable>
Coro<std::shared_ptr<void>> guard_of(Lockable& lock) {
    auto guard = co_await lock.guard();
    co_return std::make_shared<decltype(guard)>(std::move(guard));
}

Coro<> do_guard(Run& run, Walk& walk, const Node& s) {
    std::shared_ptr<void> guard = co_await on_lock(thing_at(run, s[1]), [](auto& lock) { return guard_of(lock); });
    run.log("guard", s[1].number);
    walk.enter(Walk::Kind::guarded, s, s[2], std::move(guard));
}

template <class Lockable>
Coro<> acquire(Lockable& lock) {
    co_await lock.acquire();
}

Coro<Flow> do_acquire(Run& run, const Node& s) {
    Coro<> acquiring = on_lock(thing_at(run, s[1]), [](auto& lock) { return acquire(lock); });
    co_await std::move(acquiring);
    run.log("acquire", s[1].number);
    co_return std::nullopt;
}

void do_release(Run& run, const Node& s) {
    on_lock(thing_at(run, s[1]), [](auto& lock) { lock.release(); });
    run.log("release", s[1].number);
}

void do_locked(Run& run, const Node& s) {
    on_lock(thing_at(run, s[1]), [&](auto& lock) { run.log("locked", s[1].number, lock.locked()); });
}

void do_thing_state(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    std::string shown;
    if (thing.event) {
        shown = repr(*thing.event);
    } else if (thing.barrier) {
        shown = repr(*thing.barrier);
    } else if (thing.lock || thing.condition || thing.semaphore) {
        shown = on_lock(thing, [](auto& lock) { return repr(lock); });
    } else {
        shown = on_queue(thing, [](auto& queue) { return repr(queue); });
    }
    run.log("thing_state", s[1].number, shown_repr(shown));
}

Coro<Flow> do_event_wait(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).event->wait();
    run.log("event_wait", s[1].number);
    co_return std::nullopt;
}

void do_event_set(Run& run, const Node& s) {
    thing_at(run, s[1]).event->set();
    run.log("event_set", s[1].number);
}

void do_event_clear(Run& run, const Node& s) {
    thing_at(run, s[1]).event->clear();
    run.log("event_clear", s[1].number, thing_at(run, s[1]).event->is_set());
}

Coro<Flow> do_cond_wait(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).condition->wait();
    run.log("cond_wait", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_cond_wait_for(Run& run, const Node& s) {
    int& flag = run.flags.at(s[2].index());
    auto predicate = [&] {
        run.log("predicate", s[2].number, flag);
        if (flag == 2) throw asyncio::ValueError("predicate");
        return flag == 1;
    };
    bool result = co_await thing_at(run, s[1]).condition->wait_for(predicate);
    run.log("cond_wait_for", s[1].number, result);
    co_return std::nullopt;
}

void do_set_flag(Run& run, const Node& s) { run.flags.at(s[1].index()) = s[2].number; }

void do_notify(Run& run, const Node& s) {
    asyncio::Condition& condition = *thing_at(run, s[1]).condition;
    if (s[2].number < 0) {
        condition.notify_all();
    } else {
        condition.notify(s[2].number);
    }
    run.log("notify", s[1].number, s[2].number);
}

Coro<Flow> do_barrier_wait(Run& run, const Node& s) {
    int index = co_await thing_at(run, s[1]).barrier->wait();
    run.log("barrier_wait", s[1].number, index);
    co_return std::nullopt;
}

Coro<Flow> do_barrier_reset(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).barrier->reset();
    run.log("barrier_reset", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_barrier_abort(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).barrier->abort();
    run.log("barrier_abort", s[1].number);
    co_return std::nullopt;
}

void do_barrier_state(Run& run, const Node& s) {
    asyncio::Barrier& barrier = *thing_at(run, s[1]).barrier;
    run.log("barrier_state", s[1].number, barrier.parties(), barrier.n_waiting(), barrier.broken());
}

}  // namespace

Operations lock_operations() {
    return {{"with", awaiting<do_with>},
            {"guard", walking<do_guard>},
            {"acquire", awaiting<do_acquire>},
            {"release", plain<do_release>},
            {"locked", plain<do_locked>},
            {"thing_state", plain<do_thing_state>},
            {"event_wait", awaiting<do_event_wait>},
            {"event_set", plain<do_event_set>},
            {"event_clear", plain<do_event_clear>},
            {"cond_wait", awaiting<do_cond_wait>},
            {"cond_wait_for", awaiting<do_cond_wait_for>},
            {"set_flag", plain<do_set_flag>},
            {"notify", plain<do_notify>},
            {"barrier_wait", awaiting<do_barrier_wait>},
            {"barrier_reset", awaiting<do_barrier_reset>},
            {"barrier_abort", awaiting<do_barrier_abort>},
            {"barrier_state", plain<do_barrier_state>}};
}

}  // namespace conformance
