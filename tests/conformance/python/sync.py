"""Statements on locks and queues."""
from operations import awaiting, plain, walking
from text import shown_repr
from trace import tell_from_destructor
from walk import Level


@awaiting
async def with_(run, number, body):
    async with run.things[number]:
        run.log("with", number)
        flow = await run.block(body)
    if flow is None:
        run.log("left", number)
    return flow


class Guard:
    """What a Guard of the library is. differs: a failed release at the end of `async with`"""

    def __init__(self, run, thing):
        self.run, self.thing = run, thing

    def release(self):
        try:
            self.thing.release()
        except Exception as error:
            tell_from_destructor(self.run.loop, error)


@walking
async def guard(walk, number, body):
    await walk.run.things[number].acquire()
    walk.run.log("guard", number)
    walk.enter(Level("guard", ["guard", number, body], body, Guard(walk.run, walk.run.things[number])))


@awaiting
async def acquire(run, number):
    await run.things[number].acquire()
    run.log("acquire", number)


@plain
def release(run, number):
    run.things[number].release()
    run.log("release", number)


@plain
def locked(run, number):
    run.log("locked", number, run.things[number].locked())


@plain
def thing_state(run, number):
    run.log("thing_state", number, shown_repr(repr(run.things[number])))


@awaiting
async def event_wait(run, number):
    await run.things[number].wait()
    run.log("event_wait", number)


@plain
def event_set(run, number):
    run.things[number].set()
    run.log("event_set", number)


@plain
def event_clear(run, number):
    run.things[number].clear()
    run.log("event_clear", number, run.things[number].is_set())


@awaiting
async def cond_wait(run, number):
    await run.things[number].wait()
    run.log("cond_wait", number)


@awaiting
async def cond_wait_for(run, number, flag):
    def predicate():
        run.log("predicate", flag, run.flags[flag])
        if run.flags[flag] == 2:
            raise ValueError("predicate")
        return run.flags[flag] == 1
    run.log("cond_wait_for", number, await run.things[number].wait_for(predicate))


@plain
def set_flag(run, flag, value):
    run.flags[flag] = value


@plain
def notify(run, number, count):
    if count < 0:
        run.things[number].notify_all()
    else:
        run.things[number].notify(count)
    run.log("notify", number, count)


@awaiting
async def barrier_wait(run, number):
    run.log("barrier_wait", number, await run.things[number].wait())


@awaiting
async def barrier_reset(run, number):
    await run.things[number].reset()
    run.log("barrier_reset", number)


@awaiting
async def barrier_abort(run, number):
    await run.things[number].abort()
    run.log("barrier_abort", number)


@plain
def barrier_state(run, number):
    barrier = run.things[number]
    run.log("barrier_state", number, barrier.parties, barrier.n_waiting, barrier.broken)


@awaiting
async def put(run, number, value):
    await run.things[number].put(value)
    run.log("put", number, value)


@awaiting
async def get(run, number):
    run.log("get", number, await run.things[number].get())


@awaiting
async def join(run, number):
    await run.things[number].join()
    run.log("join", number)


@plain
def put_nowait(run, number, value):
    run.things[number].put_nowait(value)
    run.log("put_nowait", number, value)


@plain
def get_nowait(run, number):
    run.log("get_nowait", number, run.things[number].get_nowait())


@plain
def task_done(run, number):
    run.things[number].task_done()
    run.log("task_done", number)


@plain
def shutdown(run, number, immediate):
    run.things[number].shutdown(bool(immediate))
    run.log("shutdown", number, immediate)


@plain
def queue_state(run, number):
    queue = run.things[number]
    run.log("queue_state", number, queue.maxsize, queue.qsize(), queue.empty(), queue.full())
