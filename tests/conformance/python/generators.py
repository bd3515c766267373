"""Statements on asynchronous generators. `yield` itself is in Run.generate().

When a generator is dropped shows in the trace. So nothing here keeps one in a local variable: the traceback of an
exception would hold it.
"""
import weakref

from operations import awaiting, plain, walking
from text import make_error


@plain
def generator(run, slot, number):
    cell = []
    run.generators[slot] = run.generate(number, lambda: cell[0]())
    cell.append(weakref.ref(run.generators[slot]))
    run.log("generator", slot)


@plain
def drop_generator(run, slot):
    run.log("drop_generator", slot, run.generators.has(slot))
    run.generators.clear(slot)


@plain
def same_generator(run, slot, source):
    run.generators[slot] = run.generators[source]


@awaiting
async def next_(run, slot):
    try:
        value = await run.generators[slot].__anext__()
    except StopAsyncIteration:
        return run.log("next", slot, "end")
    run.log("next", slot, "=", value)


def thrown(error):
    error.is_thrown = True
    return error


def is_closing(error):
    """Whether it is what closes a generator, and not what a program throws into it."""
    return type(error) is GeneratorExit and not hasattr(error, "is_thrown")


@awaiting
async def athrow(run, slot, spec):
    try:
        value = await run.generators[slot].athrow(thrown(make_error(spec)))
    except StopAsyncIteration:
        value = None
    run.log("athrow", slot, *(("end",) if value is None else ("=", value)))


@awaiting
async def aclose(run, slot):
    try:
        await run.generators[slot].aclose()
    except StopAsyncIteration:
        pass  # differs: a generator that has ignored its closing
    run.log("aclose", slot)


@walking
async def each(walk, slot, most, body):
    try:
        value = await walk.levels[-1].held.__anext__()
    except StopAsyncIteration:
        return walk.got(False)
    walk.got(True, value)
