"""Statements on futures set by hand, and on their callbacks."""
import asyncio

from callbacks import options
from items import Item, outcome
from operations import plain
from text import describe, make_error, text
from trace import X, Y


@plain
def future(run, slot):
    run.items[slot] = Item(run.loop.create_future(), "int")


@plain
def forget(run, slot):
    run.items.clear(slot)


@plain
def set_result(run, slot, value):
    item = run.items[slot]
    if item.kind != "int":
        return run.log("set_result", slot, "no number")
    item.future.set_result(value)
    run.log("set_result", slot)


@plain
def set_exception(run, slot, spec):
    run.items[slot].future.set_exception(make_error(spec))
    run.log("set_exception", slot)


@plain
def state(run, slot):
    run.log("state", slot, outcome(run.items[slot].future))


@plain
def result(run, slot):
    run.log("result", slot, text(run.items[slot].future.result()))


@plain
def exception(run, slot):
    error = run.items[slot].future.exception()
    run.log("exception", slot, "None" if error is None else describe(error))


@plain
def ensure_future(run, slot, source):
    run.items[slot] = run.items[source]
    same = asyncio.ensure_future(run.items[source].future) is run.items[source].future
    run.log("ensure_future", slot, same)


@plain
def callback(run, slot, number, context, block):
    future = run.items[slot].future

    def called(done):
        run.log("called", number, outcome(done), X.get(), Y.get())
        run.plain_block(block)

    future.add_done_callback(called, **options(run, context))
    run.callbacks[number] = (future, called)


@plain
def remove_callback(run, number):
    future, called = run.callbacks[number]
    run.log("remove_callback", number, future.remove_done_callback(called))
