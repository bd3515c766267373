"""Statements on several futures at once: gather, shield, wait, wait_for, as_completed."""
import asyncio

from items import Item, outcome
from operations import awaiting, plain
from text import describe, text
from virtual_loop import TICK

MODES = {"all": asyncio.ALL_COMPLETED, "first": asyncio.FIRST_COMPLETED, "exception": asyncio.FIRST_EXCEPTION}


def limit(ticks):
    return None if ticks < 0 else ticks * TICK


def made_of(run, sources, owner):
    """The awaitables; whether all of them give numbers; the items among them."""
    awaitables, numeric, known = [], True, []
    for source in sources:
        if isinstance(source, list):
            awaitables.append(run.call(source[1], owner))
        elif run.items.has(source):
            item = run.items[source]
            awaitables.append(item.future)
            numeric = numeric and item.kind == "int"
            known.append(item)
    return awaitables, numeric, known


def positions(given, found):
    return [i for i, future in enumerate(given) if any(future is one for one in found)]


@plain
def gather(run, slot, exceptions, sources):
    item = Item(None, "list")
    awaitables, _, known = made_of(run, sources, item)
    item.children += known
    item.future = asyncio.gather(*awaitables, return_exceptions=bool(exceptions))
    run.items[slot] = item
    run.log("gather", slot, item.future.done())


@plain
def shield(run, slot, source):
    if isinstance(source, list):
        run.items[slot] = Item(asyncio.shield(run.call(source[1], None)), "int")
    else:
        inner = run.items[source]
        outer = asyncio.shield(inner.future)
        run.items[slot] = inner if outer is inner.future else Item(outer, inner.kind)
    run.log("shield", slot, run.items[slot].future.done())


@awaiting
async def wait_for(run, source, ticks):
    if isinstance(source, list):
        value = await asyncio.wait_for(run.call(source[1], None), limit(ticks))
        return run.log("wait_for", "=", value)
    item = run.items[source]
    if run.waits.is_spoilt(item) or run.waits.would_circle(item):
        return run.log("wait_for", "circle")
    value = await run.waits.awaiting(item, asyncio.wait_for(item.future, limit(ticks)))
    run.log("wait_for", "=", text(value))


@awaiting
async def wait(run, slots, ticks, mode):
    futures = [run.items[slot].future for slot in slots if run.items.has(slot)]
    done, pending = await asyncio.wait(futures, timeout=limit(ticks), return_when=MODES[mode])
    run.log("wait", "done", positions(futures, done), "pending", positions(futures, pending))


class Completed:
    """An as_completed() under way."""

    def __init__(self, run, sources, ticks):
        self.run = run
        self.awaitables, self.numeric, _ = made_of(run, sources, None)
        self.iterator = asyncio.as_completed(self.awaitables, timeout=limit(ticks))

    async def plain(self):
        """One step of a plain iteration; False when there is none."""
        try:
            step = next(self.iterator)
        except StopIteration:
            return False
        try:
            value = await step
            self.run.log("completed", value if self.numeric else "-")
        except Exception as error:
            if self.run.is_destroyed_by(error):
                raise
            self.run.log("completed", "!", describe(error))
        return True

    async def async_(self):
        try:
            future = await anext(self.iterator)
        except StopAsyncIteration:
            return False
        self.run.log("completed", positions(self.awaitables, [future]), outcome(future) if self.numeric else "-")
        return True

    async def drop(self):
        try:
            next(self.iterator).close()  # a step that is never awaited
        except StopIteration:
            return False
        self.run.log("completed", "dropped")
        return True

    def step(self, mode):
        return {"plain": self.plain, "async": self.async_, "drop": self.drop}[mode]()


@awaiting
async def as_completed(run, sources, ticks, mode, most):
    completed = Completed(run, sources, ticks)
    count = 0
    while await completed.step(mode):
        count += 1
        if count == most:
            break
    run.log("as_completed", count)


@plain
def completing(run, slot, sources, ticks):
    run.completions[slot] = Completed(run, sources, ticks)
    run.log("completing", slot)


@awaiting
async def completed(run, slot, mode):
    if not await run.completions[slot].step(mode):
        run.log("completed", slot, "over")
