"""Statements on futures set by hand, and on their callbacks."""
import asyncio

from items import Item, outcome
from operations import plain
from run import X, Y
from text import describe, make_error, text


@plain
def future(run, slot):
    run.items[slot] = Item(run.loop.create_future(), "int")


@plain
def forget(run, slot):
    run.items[slot] = None


@plain
def set_result(run, slot, value):
    item = run.items[slot]
    if item is None or item.kind != "int":
        return run.log("set_result", slot, "none")
    item.future.set_result(value)
    run.log("set_result", slot)


@plain
def set_exception(run, slot, spec):
    if run.items[slot] is None:
        return run.log("set_exception", slot, "none")
    run.items[slot].future.set_exception(make_error(spec))
    run.log("set_exception", slot)


@plain
def state(run, slot):
    run.log("state", slot, outcome(run.items[slot].future) if run.items[slot] is not None else "none")


@plain
def result(run, slot):
    if run.items[slot] is not None:
        run.log("result", slot, text(run.items[slot].future.result()))


@plain
def exception(run, slot):
    if run.items[slot] is not None:
        error = run.items[slot].future.exception()
        run.log("exception", slot, "None" if error is None else describe(error))


@plain
def ensure_future(run, slot, source):
    if run.items[source] is not None:
        run.items[slot] = run.items[source]
        same = asyncio.ensure_future(run.items[source].future) is run.items[source].future
        run.log("ensure_future", slot, same)


@plain
def callback(run, slot, number, context, block):
    if run.items[slot] is None:
        return run.log("callback", "none")

    def called(future):
        run.log("called", number, outcome(future), X.get(), Y.get())
        run.plain_block(block)

    options = {}
    if context >= 0 and run.contexts[context] is not None:
        options["context"] = run.contexts[context]
    run.items[slot].future.add_done_callback(called, **options)
    run.callbacks[number] = (run.items[slot].future, called)


@plain
def remove_callback(run, number):
    if run.callbacks[number] is None:
        return run.log("remove_callback", "none")
    future, called = run.callbacks[number]
    run.log("remove_callback", number, future.remove_done_callback(called))
