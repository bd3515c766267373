// Statements on queues.
#include "operations.h"
#include "run.h"
#include "things.h"

namespace conformance {

using asyncio::Coro;

namespace {

Thing& thing_at(Run& run, const Node& number) { return run.things->all.at(number.index()); }

template <class Queue>
Coro<> put(Queue& queue, int value) {
    co_await queue.put(value);
}
template <class Queue>
Coro<int> get(Queue& queue) {
    int value = co_await queue.get();
    co_return value;
}
template <class Queue>
Coro<> join(Queue& queue) {
    co_await queue.join();
}

Coro<Flow> do_put(Run& run, const Node& s) {
    Coro<> putting = on_queue(thing_at(run, s[1]), [&](auto& queue) { return put(queue, s[2].number); });
    co_await std::move(putting);
    run.log("put", s[1].number, s[2].number);
    co_return std::nullopt;
}

Coro<Flow> do_get(Run& run, const Node& s) {
    Coro<int> getting = on_queue(thing_at(run, s[1]), [](auto& queue) { return get(queue); });
    int value = co_await std::move(getting);
    run.log("get", s[1].number, value);
    co_return std::nullopt;
}

Coro<Flow> do_join(Run& run, const Node& s) {
    Coro<> joining = on_queue(thing_at(run, s[1]), [](auto& queue) { return join(queue); });
    co_await std::move(joining);
    run.log("join", s[1].number);
    co_return std::nullopt;
}

void do_put_nowait(Run& run, const Node& s) {
    on_queue(thing_at(run, s[1]), [&](auto& queue) { queue.put_nowait(s[2].number); });
    run.log("put_nowait", s[1].number, s[2].number);
}

void do_get_nowait(Run& run, const Node& s) {
    int value = on_queue(thing_at(run, s[1]), [](auto& queue) { return queue.get_nowait(); });
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
        run.log("queue_state", s[1].number, static_cast<int>(queue.maxsize()), static_cast<int>(queue.qsize()),
                queue.empty(), queue.full());
    });
}

}  // namespace

Operations queue_operations() {
    return {{"put", awaiting<do_put>},
            {"get", awaiting<do_get>},
            {"join", awaiting<do_join>},
            {"put_nowait", plain<do_put_nowait>},
            {"get_nowait", plain<do_get_nowait>},
            {"task_done", plain<do_task_done>},
            {"shutdown", plain<do_shutdown>},
            {"queue_state", plain<do_queue_state>}};
}

}  // namespace conformance
