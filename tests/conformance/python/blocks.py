"""Statements on timeouts and task groups."""
import asyncio

from operations import awaiting, plain
from text import shown_repr
from virtual_loop import TICK


def make_timeout(run, ticks, absolute):
    delay = None if ticks < 0 else ticks * TICK
    if not absolute:
        return asyncio.timeout(delay)
    return asyncio.timeout_at(None if delay is None else run.loop.time() + delay)


async def in_timeout(run, slot, timeout, body):
    try:
        async with timeout:
            flow = await run.block(body)
    finally:
        run.log("timeout", slot, timeout.expired())
    return flow


async def in_group(run, slot, group, body):
    async with group:
        flow = await run.block(body)
    if flow is None:
        run.log("group", slot)
    return flow


@awaiting
async def timeout(run, slot, ticks, absolute, body):
    run.timeouts[slot] = made = make_timeout(run, ticks, absolute)
    return await in_timeout(run, slot, made, body)


@plain
def new_timeout(run, slot, ticks, absolute):
    run.timeouts[slot] = make_timeout(run, ticks, absolute)


@awaiting
async def enter_timeout(run, slot, body):
    return await in_timeout(run, slot, run.timeouts[slot], body)


@plain
def reschedule(run, slot, ticks):
    run.timeouts[slot].reschedule(None if ticks < 0 else run.loop.time() + ticks * TICK)
    run.log("reschedule", slot)


@plain
def expired(run, slot):
    when = run.timeouts[slot].when()
    run.log("expired", slot, run.timeouts[slot].expired(), "None" if when is None else round(when / TICK),
            repr(run.timeouts[slot]))


@awaiting
async def group(run, slot, body):
    run.groups[slot] = made = asyncio.TaskGroup()
    return await in_group(run, slot, made, body)


@plain
def new_group(run, slot):
    run.groups[slot] = asyncio.TaskGroup()


@awaiting
async def enter_group(run, slot, body):
    return await in_group(run, slot, run.groups[slot], body)


@plain
def group_state(run, slot):
    run.log("group_state", slot, shown_repr(repr(run.groups[slot])))
