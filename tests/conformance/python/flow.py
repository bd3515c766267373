"""Statements of one task: sleeping, calling, raising, awaiting."""
import asyncio

from items import Item
from operations import PLAIN, awaiting, plain
from tasks import new_task
from text import make_error, text
from virtual_loop import TICK


@plain
def log(run, number):
    run.log("log", number)


def fail(run, spec):
    raise make_error(spec)


PLAIN["fail"] = fail  # it alone lets its error out


@awaiting
async def return_(run, value):
    return (value,)


@awaiting
async def raise_(run, spec):
    raise make_error(spec)


@awaiting
async def sleep(run, ticks):
    await asyncio.sleep(ticks * TICK)
    run.log("sleep", ticks)


@awaiting
async def sleep_value(run, ticks, value):
    run.log("sleep_value", ticks, await asyncio.sleep(ticks * TICK, value))


@awaiting
async def call(run, number):
    run.log("call", number, "=", await run.call(number, None))


@awaiting
async def await_(run, slot):
    item = run.items[slot]
    own = item.future is asyncio.current_task()
    if run.waits.is_spoilt(item) or (not own and run.waits.would_circle(item)):
        return run.log("await", "circle")
    if own:
        run.waits.spoilt.add(item.future)
    run.log("await", slot, "=", text(await run.waits.awaiting(item, item.future)))


@awaiting
async def await_task(run, number, name, eager):
    item = Item(new_task(run, asyncio.create_task, number, name, eager, -1), "int")
    if run.waits.would_circle(item):
        return run.log("await_task", "circle")
    run.log("await_task", "=", await run.waits.awaiting(item, item.future))
