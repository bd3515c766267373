#include "operations.h"
#include "run.h"
#include "things.h"

namespace conformance {

using asyncio::Coro;

void make_things(Run& run, const Node& objects) {
    run.things = std::make_unique<Things>();
    for (const Node& spec : objects.list) {
        Thing& thing = run.things->all.emplace_back();
        const std::string& kind = spec[0].text;
        int size = spec.size() > 1 ? spec[1].number : 0;
        if (kind == "lock") thing.lock = std::make_unique<asyncio::Lock>();
        if (kind == "event") thing.event = std::make_unique<asyncio::Event>();
        if (kind == "cond") thing.condition = std::make_unique<asyncio::Condition>();
        if (kind == "sem") thing.semaphore = std::make_unique<asyncio::Semaphore>(size);
        if (kind == "bsem") thing.semaphore = std::make_unique<asyncio::BoundedSemaphore>(size);
        if (kind == "barrier") thing.barrier = std::make_unique<asyncio::Barrier>(size);
        if (kind == "queue") thing.queue = std::make_unique<asyncio::Queue<int>>(size);
        if (kind == "pqueue") thing.priority_queue = std::make_unique<asyncio::PriorityQueue<int>>(size);
        if (kind == "lqueue") thing.lifo_queue = std::make_unique<asyncio::LifoQueue<int>>(size);
    }
}

namespace {

Thing& thing_at(Run& run, const Node& number) { return run.things->all.at(static_cast<std::size_t>(number.number)); }

/// Calls the function with what of lock, condition and semaphore the thing is.
template <class Function>
void on_lock(Thing& thing, const Function& function) {
    if (thing.lock) {
        function(*thing.lock);
    } else if (thing.condition) {
        function(*thing.condition);
    } else {
        function(*thing.semaphore);
    }
}

template <class Function>
void on_queue(Thing& thing, const Function& function) {
    if (thing.queue) {
        function(*thing.queue);
    } else if (thing.priority_queue) {
        function(*thing.priority_queue);
    } else {
        function(*thing.lifo_queue);
    }
}

template <class Manager>
Coro<Flow> with_thing(Run& run, const Node& s, Manager& manager) {
    auto body = [&]() -> Coro<Flow> {
        run.log("with", s[1].number);
        Flow flow = co_await run.block(s[2]);
        co_return flow;
    };
    Flow flow = co_await asyncio::with(manager, body);
    run.log("left", s[1].number);
    co_return flow;
}

Coro<Flow> do_with(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    if (thing.lock) return with_thing(run, s, *thing.lock);
    if (thing.condition) return with_thing(run, s, *thing.condition);
    if (thing.semaphore) return with_thing(run, s, *thing.semaphore);
    return with_thing(run, s, *thing.barrier);
}

Coro<Flow> do_acquire(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    if (thing.lock) {
        co_await thing.lock->acquire();
    } else if (thing.condition) {
        co_await thing.condition->acquire();
    } else {
        co_await thing.semaphore->acquire();
    }
    run.log("acquire", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_event_wait(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).event->wait();
    run.log("event_wait", s[1].number);
    co_return std::nullopt;
}

Coro<Flow> do_cond_wait(Run& run, const Node& s) {
    co_await thing_at(run, s[1]).condition->wait();
    run.log("cond_wait", s[1].number);
    co_return std::nullopt;
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

Coro<Flow> do_put(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    if (thing.queue) {
        co_await thing.queue->put(s[2].number);
    } else if (thing.priority_queue) {
        co_await thing.priority_queue->put(s[2].number);
    } else {
        co_await thing.lifo_queue->put(s[2].number);
    }
    run.log("put", s[1].number, s[2].number);
    co_return std::nullopt;
}

Coro<Flow> do_get(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    int value = 0;
    if (thing.queue) {
        value = co_await thing.queue->get();
    } else if (thing.priority_queue) {
        value = co_await thing.priority_queue->get();
    } else {
        value = co_await thing.lifo_queue->get();
    }
    run.log("get", s[1].number, value);
    co_return std::nullopt;
}

Coro<Flow> do_join(Run& run, const Node& s) {
    Thing& thing = thing_at(run, s[1]);
    if (thing.queue) {
        co_await thing.queue->join();
    } else if (thing.priority_queue) {
        co_await thing.priority_queue->join();
    } else {
        co_await thing.lifo_queue->join();
    }
    run.log("join", s[1].number);
    co_return std::nullopt;
}

void do_release(Run& run, const Node& s) {
    on_lock(thing_at(run, s[1]), [](auto& lock) { lock.release(); });
    run.log("release", s[1].number);
}

void do_locked(Run& run, const Node& s) {
    on_lock(thing_at(run, s[1]), [&](auto& lock) { run.log("locked", s[1].number, lock.locked()); });
}

void do_event_set(Run& run, const Node& s) {
    thing_at(run, s[1]).event->set();
    run.log("event_set", s[1].number);
}

void do_event_clear(Run& run, const Node& s) {
    thing_at(run, s[1]).event->clear();
    run.log("event_clear", s[1].number);
}

void do_notify(Run& run, const Node& s) {
    asyncio::Condition& condition = *thing_at(run, s[1]).condition;
    if (s[2].number < 0) {
        condition.notify_all();
    } else {
        condition.notify(s[2].number);
    }
    run.log("notify", s[1].number, s[2].number);
}

void do_barrier_state(Run& run, const Node& s) {
    asyncio::Barrier& barrier = *thing_at(run, s[1]).barrier;
    run.log("barrier_state", s[1].number, barrier.n_waiting(), barrier.broken());
}

void do_put_nowait(Run& run, const Node& s) {
    on_queue(thing_at(run, s[1]), [&](auto& queue) { queue.put_nowait(s[2].number); });
    run.log("put_nowait", s[1].number, s[2].number);
}

void do_get_nowait(Run& run, const Node& s) {
    int value = 0;
    on_queue(thing_at(run, s[1]), [&](auto& queue) { value = queue.get_nowait(); });
    run.log("get_nowait", s[1].number, value);
}

void do_task_done(Run& run, const Node& s) {
    on_queue(thing_at(run, s[1]), [](auto& queue) { queue.task_done(); });
    run.log("task_done", s[1].number);
}

void do_shutdown(Run& run, const Node& s) {
    on_queue(thing_at(run, s[1]), [&](auto& queue) { queue.shutdown(s[2].number != 0); });
    run.log("shutdown", s[1].number, s[2].number);
}

void do_queue_state(Run& run, const Node& s) {
    on_queue(thing_at(run, s[1]), [&](auto& queue) {
        run.log("queue_state", s[1].number, static_cast<int>(queue.qsize()), queue.empty(), queue.full());
    });
}

}  // namespace

Operations sync_operations() {
    return {.plain = {{"release", noting<do_release>},
                      {"locked", noting<do_locked>},
                      {"event_set", noting<do_event_set>},
                      {"event_clear", noting<do_event_clear>},
                      {"notify", noting<do_notify>},
                      {"barrier_state", noting<do_barrier_state>},
                      {"put_nowait", noting<do_put_nowait>},
                      {"get_nowait", noting<do_get_nowait>},
                      {"task_done", noting<do_task_done>},
                      {"shutdown", noting<do_shutdown>},
                      {"queue_state", noting<do_queue_state>}},
            .awaiting = {{"with", do_with},
                         {"acquire", do_acquire},
                         {"event_wait", do_event_wait},
                         {"cond_wait", do_cond_wait},
                         {"barrier_wait", do_barrier_wait},
                         {"barrier_reset", do_barrier_reset},
                         {"barrier_abort", do_barrier_abort},
                         {"put", do_put},
                         {"get", do_get},
                         {"join", do_join}}};
}

}  // namespace conformance
